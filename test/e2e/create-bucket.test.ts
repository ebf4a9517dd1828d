/** What the program makes of each state that a bucket can be in. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })

const isHeadBucket = ({ method, url }: SeenRequest) => method === 'HEAD' && /^\/test-lake\/?$/.test(url)
const isLook = (seen: SeenRequest) => isHeadBucket(seen) || isListing(seen)
const isCreate = ({ method, url }: SeenRequest) => method === 'PUT' && /^\/test-lake\/?$/.test(url)
const isListing = ({ url }: SeenRequest) => url.includes('list-type=2')
const isLifecycle = ({ url }: SeenRequest) => url.includes('?lifecycle')

function answerHead(response: ServerResponse, status: number, headers: Record<string, string> = {}): undefined {
  response.writeHead(status, headers).end()
}

test('a bucket that is not there is created, with a rule against unfinished uploads, and one that is there is left alone', async () => {
  const server = await startServer()
  assert.equal((await runProgram({ ...server.env, DATA_DIR })).code, 0)
  assert.equal(server.seen.filter(isCreate).length, 1)
  const rule = server.seen.find(isLifecycle)?.body.toString() ?? ''
  assert.match(rule, /<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</)
  server.seen.length = 0
  assert.equal((await runProgram({ ...server.env, DATA_DIR })).code, 0)
  assert.equal(server.seen.filter(isCreate).length, 0)
  assert.equal(server.seen.filter(isLifecycle).length, 0)
})

test('a server that does not take the rule is a warning', async () => {
  const server = await startServer()
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 0)
  assert.match(stderr, /^Warning: the new bucket has no lifecycle rule for unfinished uploads: remove them/m)
})

test('CREATE_BUCKET=false refuses a bucket that is not there with exit 4 and creates nothing', async () => {
  const server = await startServer()
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, CREATE_BUCKET: 'false' })
  assert.equal(code, 4)
  assert.match(stderr, /The bucket test-lake does not exist, and CREATE_BUCKET is false\. Check BUCKET_NAME/)
  assert.equal(server.seen.length, 1)
})

test('two runs that create the bucket at once both succeed', async () => {
  const server = await startServer()
  let creations = 0
  server.meddle = async seen => {
    if (isCreate(seen)) {
      creations += 1
      while (creations < 2) await new Promise(setImmediate)
    }
    return seen.body
  }
  const both = await Promise.all([1, 2].map(() => runProgram({ ...server.env, DATA_DIR })))
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  )
})

for (const reason of ['OperationAborted', 'BucketAlreadyOwnedByYou']) {
  test(`a bucket that is not visible yet, and a creation under way elsewhere (${reason}), are waited out`, async () => {
    const server = await startServer()
    let busy = 1
    let invisible = 2
    server.meddle = (seen, response) => {
      if (isCreate(seen) && busy-- > 0) return refuse(response, 409, reason)
      if (isLook(seen) && server.seen.some(isCreate) && invisible-- > 0) return refuse(response, 404, 'NoSuchBucket')
      return seen.body
    }
    const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
    assert.equal(code, 0, stderr)
  })
}

const REASONS = [
  ['InvalidAccessKeyId', 3, /Check AWS_ACCESS_KEY_ID/],
  ['SignatureDoesNotMatch', 3, /Check AWS_SECRET_ACCESS_KEY/],
  ['ExpiredToken', 3, /Get new temporary credentials/],
  ['RequestTimeTooSkewed', 3, /Set the clock of this machine/],
] as const
for (const [reason, expected, says] of REASONS) {
  for (const [what, env] of [
    ['of the listing', {}],
    // A share without a file has nothing to list, and HEAD has no reason.
    ['of HeadBucket', { SHARD: '1/100' }],
  ] as const) {
    test(`a refusal ${what} is told by its reason: ${reason}`, async () => {
      const server = await startServer()
      server.meddle = (seen, response) => {
        if (isHeadBucket(seen)) return answerHead(response, reason === 'ExpiredToken' ? 400 : 403)
        return isListing(seen) ? refuse(response, 403, reason) : seen.body
      }
      const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, ...env })
      assert.equal(code, expected)
      assert.match(stderr, says)
      assert.ok(server.seen.every(isLook))
    })
  }
}

test('a bucket that is not there is created, though the server lists it as an empty one', async () => {
  const server = await startServer()
  server.meddle = (seen, response) => {
    if (!isListing(seen) || server.seen.some(isCreate)) return seen.body
    response.writeHead(200).end('<ListBucketResult><Name>test-lake</Name></ListBucketResult>')
    return undefined
  }
  assert.equal((await runProgram({ ...server.env, DATA_DIR })).code, 0)
  assert.equal(server.seen.filter(isCreate).length, 1)
})

test('a server that lists nothing is asked by HEAD whether the bucket is there', async () => {
  const server = await startServer()
  server.meddle = (seen, response) => (isListing(seen) ? refuse(response, 501, 'NotImplemented') : seen.body)
  assert.equal((await runProgram({ ...server.env, DATA_DIR })).code, 0)
  assert.equal(server.seen.filter(isCreate).length, 1)
  server.seen.length = 0
  assert.equal((await runProgram({ ...server.env, DATA_DIR })).code, 0)
  assert.equal(server.seen.filter(isCreate).length, 0)
  assert.equal(server.seen.filter(isListing).length, 1)
})

test('a key that may write but not look goes on with a warning, asking for nothing that it may not have', async () => {
  const server = await startServer()
  await runProgram({ ...server.env, DATA_DIR, RUN_DATE: '2024-01-01' })
  server.meddle = (seen, response) => {
    if (isHeadBucket(seen)) return answerHead(response, 403)
    if (isListing(seen)) return refuse(response, 403, 'AccessDenied')
    return seen.method === 'HEAD' ? answerHead(response, 403) : seen.body
  }
  const { code, stdout, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^Warning: HeadBucket on test-lake is denied/m)
  assert.match(stdout, /1 uploaded/)
})

test('BUCKET_OWNER goes with every request, and a denial is then exit 4 with nothing sent', async () => {
  const server = await startServer()
  const files = { 'a.csv': 'a\n', 'large.csv': Buffer.alloc(8 * 1024 * 1024 + 1, 'a,b\n') }
  const env = { ...server.env, DATA_DIR: makeTempFolder(files), BUCKET_OWNER: '123456789012', MANIFEST: 'true' }
  assert.equal((await runProgram(env)).code, 0)
  const owned = server.seen.filter(seen => !isCreate(seen))
  // One look for an owner that there is not tells whether the server compares at all.
  const owners = owned.map(({ headers }) => headers['x-amz-expected-bucket-owner'])
  assert.deepEqual([...new Set(owners)].sort(), ['000000000000', '123456789012'])
  assert.equal(owners.filter(owner => owner === '000000000000').length, 1)
  server.seen.length = 0
  server.meddle = (seen, response) =>
    seen.method === 'HEAD' ? answerHead(response, 403) : refuse(response, 403, 'AccessDenied')
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 4)
  assert.match(stderr, /The bucket test-lake is not owned by 123456789012, or access to it is denied\./)
  assert.equal(server.seen.filter(({ method }) => method === 'PUT').length, 0)
})

/** AWS answers 301 to who looks in the wrong region, and says which is right. */
function liveIn(region: string) {
  return (seen: SeenRequest, response: ServerResponse) => {
    const asked = /\/\d{8}\/([^/]+)\/s3\//.exec(seen.headers.authorization ?? '')?.[1]
    return asked === region ? seen.body : answerHead(response, 301, { 'x-amz-bucket-region': region })
  }
}

test('a bucket in another region is used there where no region was asked for', async () => {
  const server = await startServer()
  assert.equal((await runProgram({ ...server.env, DATA_DIR })).code, 0)
  server.meddle = liveIn('eu-central-1')
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 0, stderr)
})

test('a bucket in another region than the one asked for is exit 4, naming both', async () => {
  const server = await startServer()
  server.meddle = liveIn('eu-central-1')
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, AWS_REGION: 'us-west-2' })
  assert.equal(code, 4)
  assert.match(stderr, /The bucket test-lake is in eu-central-1, not in us-west-2\. Set AWS_REGION=eu-central-1\./)
})
