/** Who may do what with which bucket, on a server that knows users, policies and owners. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectVersionsCommand,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { runJson, runProgram } from '../../support/program'
import type { SeenRequest } from '../../support/proxy'
import { connectAs, IS_CURRENT_CEPH, type RealServer, SERVER, startRealServer } from '../../support/real-server'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024
const KEY = 'raw/a.csv'
/** What the server calls alice. */
const ALICE_ID = '111111111111'

const isWrite = ({ method }: SeenRequest) => method !== 'HEAD' && method !== 'GET'

async function prepare(content: string | Buffer = 'id\n1\n') {
  const server = await startRealServer()
  return { server, env: { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }) } }
}

/** A bucket of bob's under the test's name, in which alice may do `actions`. */
async function createBobsBucket({ env }: RealServer, actions: readonly string[]) {
  const bob = connectAs(SERVER.other)
  const { BUCKET_NAME: Bucket } = env
  await bob.send(new CreateBucketCommand({ Bucket }))
  if (actions.length > 0) {
    const Principal = { AWS: [`arn:aws:iam:::user/${ALICE_ID}`] }
    const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`]
    const Statement = [{ Effect: 'Allow', Principal, Action: actions, Resource }]
    await bob.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  }
  return bob
}

test('a versioned bucket: each version is reported, and an unchanged file makes none', async () => {
  const { server } = await prepare()
  await server.createBucket()
  const { BUCKET_NAME: Bucket } = server.env
  const VersioningConfiguration = { Status: 'Enabled' } as const
  await server.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
  const large = randomBytes(9 * MIB)
  for (const small of ['id\n1\n', 'id\n2\n']) {
    const DATA_DIR = makeTempFolder({ 'small.csv': small, 'large.csv': large })
    const env = { ...server.env, DATA_DIR }
    const { files } = await runJson(env)
    for (const { file, key: Key, outcome, versionId } of files) {
      assert.equal(outcome, file === 'large.csv' && small === 'id\n2\n' ? 'unchanged' : 'uploaded')
      const { VersionId } = await server.client.send(new HeadObjectCommand({ Bucket, Key }))
      assert.equal(versionId, VersionId)
      assert.ok(VersionId !== undefined && VersionId !== 'null')
    }
    assert.match((await runProgram(env)).stdout, /0 uploaded, 2 unchanged/)
  }
  const { Versions = [] } = await server.client.send(new ListObjectVersionsCommand({ Bucket }))
  assert.deepEqual(Versions.map(({ Key }) => Key).sort(), ['raw/large.csv', 'raw/small.csv', 'raw/small.csv'])
})

test('a bucket that the run creates gets the rule against unfinished uploads, and no second one', async () => {
  const { server, env } = await prepare()
  for (const outcome of ['created', 'found']) {
    const { code, stdout, summary } = await runJson(env)
    assert.equal(code, 0, stdout)
    assert.equal(summary['bucketOutcome'], outcome)
    const lifecycle = new GetBucketLifecycleConfigurationCommand({ Bucket: env.BUCKET_NAME })
    const { Rules } = await server.client.send(lifecycle)
    assert.equal(Rules?.length, 1)
    assert.equal(Rules?.[0]?.AbortIncompleteMultipartUpload?.DaysAfterInitiation, 7)
    assert.equal(Rules?.[0]?.Status, 'Enabled')
  }
})

test('nothing about a bucket that is there is changed', async () => {
  const { server, env } = await prepare()
  await server.createBucket()
  const { BUCKET_NAME: Bucket } = env
  await server.client.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' }))
  const acl = async () => (await server.client.send(new GetBucketAclCommand({ Bucket }))).Grants
  const before = await acl()
  assert.equal((await runProgram(env)).code, 0)
  assert.deepEqual(await acl(), before)
  await assert.rejects(server.client.send(new GetBucketLifecycleConfigurationCommand({ Bucket })), {
    name: 'NoSuchLifecycleConfiguration',
  })
  assert.ok(!server.seen.filter(isWrite).some(({ url }) => !url.includes(KEY)))
})

test('two runs that create the bucket at once both succeed', async () => {
  const { server, env } = await prepare()
  let creations = 0
  server.meddle = async seen => {
    if (isWrite(seen) && !seen.url.includes('.csv') && !seen.url.includes('lifecycle')) {
      creations += 1
      while (creations < 2) await new Promise(setImmediate)
    }
    return seen.body
  }
  const both = await Promise.all([1, 2].map(() => runProgram(env)))
  for (const { code, stderr } of both) assert.equal(code, 0, stderr)
  assert.equal(creations, 2)
  assert.deepEqual(await server.keys(), [KEY])
})

test("somebody else's bucket is exit 4, and nothing lands in it", async () => {
  const { server, env } = await prepare()
  const bob = await createBobsBucket(server, [])
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 4, stderr)
  assert.match(stderr, /^Failed: Upload of a\.csv failed: AccessDenied\. Allow s3:PutObject/m)
  const { Versions = [] } = await bob.send(new ListObjectVersionsCommand({ Bucket: env.BUCKET_NAME }))
  assert.deepEqual(Versions, [])
})

test('a name that somebody else takes between the look and the creation is exit 4', async () => {
  const { server, env } = await prepare()
  let isTaken = false
  server.meddle = async seen => {
    if (isWrite(seen) && !isTaken) {
      isTaken = true
      await createBobsBucket(server, [])
    }
    return seen.body
  }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 4, stderr)
  assert.match(stderr, /The bucket name lake-\S+ is taken by somebody else\./)
})

for (const [what, content] of [
  ['small', 'id\n1\n'],
  ['large', randomBytes(9 * MIB)],
] as const) {
  test(`a bucket that may only be read, ${what} file: what is there is unchanged, what is not is exit 4`, async () => {
    const { server, env } = await prepare(content)
    const bob = await createBobsBucket(server, ['s3:ListBucket', 's3:GetObject'])
    const refused = await runProgram(env)
    assert.equal(refused.code, 4, refused.stderr)
    assert.match(refused.stderr, /a\.csv failed: AccessDenied\. Allow s3:PutObject/)
    await bob.send(new PutObjectCommand({ Bucket: env.BUCKET_NAME, Key: KEY, Body: content }))
    const { code, stdout, stderr } = await runProgram(env)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /0 uploaded, 1 unchanged/)
  })

  test(`a bucket that may only be written, ${what} file: it lands, and the run says what it could not look at`, async () => {
    const { server, env } = await prepare(content)
    await createBobsBucket(server, ['s3:PutObject'])
    const { code, stdout, stderr } = await runProgram(env)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /1 uploaded, 0 unchanged/)
    assert.match(stderr, /^Warning: HeadBucket on lake-\S+ is denied/m)
    // Who wrote an object may look at it.
    assert.match((await runProgram(env)).stdout, /0 uploaded, 1 unchanged/)
  })
}

test('a bucket that is not owned by BUCKET_OWNER is refused with exit 4 and nothing sent', async () => {
  const { server, env } = await prepare()
  await server.createBucket()
  const { code, stderr } = await runProgram({ ...env, BUCKET_OWNER: '999999999999' })
  if (IS_CURRENT_CEPH) {
    assert.equal(code, 4, stderr)
    assert.match(stderr, /The bucket lake-\S+ is not owned by 999999999999, or access to it is denied\./)
    assert.ok(!server.seen.some(isWrite))
    assert.deepEqual(await server.keys(), [])
  }
  // The header is on every request all the same: it is for the server to obey. One look with another owner tells
  // whether it does.
  const owners = server.seen.map(({ headers }) => headers['x-amz-expected-bucket-owner'])
  assert.ok(owners.filter(owner => owner !== '999999999999').length <= 1)
})

test('a bucket that is owned by BUCKET_OWNER is used, large files too', async () => {
  const { server, env } = await prepare(randomBytes(9 * MIB))
  await server.createBucket()
  const { code, stderr } = await runProgram({ ...env, BUCKET_OWNER: ALICE_ID })
  assert.equal(code, 0, stderr)
  // The other owner is that of the look which tells whether the server compares owners at all.
  const owners = server.seen.map(({ headers }) => headers['x-amz-expected-bucket-owner'])
  assert.equal(owners.filter(owner => owner !== ALICE_ID).length, 1)
})

test('CREATE_BUCKET=false creates nothing', async () => {
  const { server, env } = await prepare()
  const { code, stderr } = await runProgram({ ...env, CREATE_BUCKET: 'false' })
  assert.equal(code, 4)
  assert.match(stderr, /does not exist, and CREATE_BUCKET is false/)
  const { Buckets = [] } = await server.client.send(new ListBucketsCommand({}))
  assert.ok(!Buckets.some(({ Name }) => Name === env.BUCKET_NAME))
})
