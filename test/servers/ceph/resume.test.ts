/** Multipart uploads that were broken off: what the next run finds on the server, and what is left there. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3'
import { FAULTS } from '../../support/faults'
import { runJson, runProgram } from '../../support/program'
import type { SeenRequest } from '../../support/proxy'
import { breakOff, IS_CURRENT_CEPH, partOf, sentParts, startRealServer } from '../../support/real-server'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024
const PART = 8 * MIB

const uploadOf = ({ url }: SeenRequest) => new URL(url, 'http://x').searchParams.get('uploadId')

async function prepare(content: Buffer) {
  const server = await startRealServer()
  await server.createBucket()
  return { server, env: { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }) } }
}

test('an upload whose last part alone is there is gone on with', async () => {
  const content = randomBytes(3 * PART + 5)
  const { server, env } = await prepare(content)
  await server.startUpload('raw/a.csv', { 4: content.subarray(3 * PART) })
  assert.equal((await runProgram(env)).code, 0)
  assert.deepEqual(sentParts(server.seen), [1, 2, 3])
  assert.ok((await server.read('raw/a.csv')).equals(content))
})

test('an upload with a part that does not match is neither patched nor aborted: its age is told', async () => {
  const content = randomBytes(3 * PART)
  const { server, env } = await prepare(content)
  const foreign = await server.startUpload('raw/a.csv', { 1: content.subarray(0, PART), 2: randomBytes(PART) })
  const { code, file } = await runJson(env)
  assert.equal(code, 0)
  assert.deepEqual(sentParts(server.seen), [1, 2, 3])
  const written = server.seen.filter(seen => seen.method !== 'GET' && uploadOf(seen) === foreign.uploadId)
  assert.deepEqual(written, [])
  assert.deepEqual(file?.warnings, ['another unfinished upload of its key, 0 h old, is left to the lifecycle rule'])
  assert.deepEqual(
    (await server.uploads()).map(({ UploadId }) => UploadId),
    [foreign.uploadId],
  )
  assert.ok((await server.read('raw/a.csv')).equals(content))
})

test('an upload of another client is gone on with in the size of its parts, and its object is known again', async () => {
  const content = randomBytes(24 * MIB)
  const { server, env } = await prepare(content)
  const size = 5 * MIB
  await server.startUpload('raw/a.csv', { 1: content.subarray(0, size), 3: content.subarray(2 * size, 3 * size) })
  assert.equal((await runProgram(env)).code, 0)
  assert.deepEqual(sentParts(server.seen), [2, 4, 5])
  assert.ok(server.seen.filter(seen => partOf(seen) > 0).every(({ body }) => body.length <= size))
  assert.ok((await server.read('raw/a.csv')).equals(content))
  assert.deepEqual(await server.uploads(), [])
  // 16 does not tell the size of a part, which leaves nothing to prove the content by.
  if (!IS_CURRENT_CEPH) assert.match((await runProgram(env)).stdout, /1 uploaded, 0 unchanged/)
  assert.match((await runProgram(env)).stdout, /0 uploaded, 1 unchanged/)
})

test('of several uploads the newest that matches is taken up, and the others are left', async () => {
  const content = randomBytes(3 * PART)
  const { server, env } = await prepare(content)
  const older = await server.startUpload('raw/a.csv', { 1: content.subarray(0, PART) })
  // Ceph 20 tells the time of a start in seconds.
  const second = () => Math.floor(Date.now() / 1000)
  for (const now = second(); second() === now; ) await new Promise(setImmediate)
  await server.startUpload('raw/a.csv', { 2: content.subarray(PART, 2 * PART) })
  await server.startUpload('raw/a.csv.bak', { 1: content.subarray(0, PART) })
  const { file } = await runJson(env)
  assert.deepEqual(sentParts(server.seen), [1, 3])
  assert.equal(file?.warnings.length, 1)
  const left = await server.uploads()
  assert.deepEqual(left.map(({ Key }) => Key).sort(), ['raw/a.csv', 'raw/a.csv.bak'])
  assert.ok(left.some(({ UploadId }) => UploadId === older.uploadId))
})

test('a run that is stopped aborts the upload that it took up, and no other', async () => {
  const content = randomBytes(10 * PART)
  const { server, env } = await prepare(content)
  const other = await server.startUpload('raw/a.csv', { 1: randomBytes(PART) })
  await server.startUpload('raw/a.csv', { 1: content.subarray(0, PART), 2: content.subarray(PART, 2 * PART) })
  await breakOff(server, 4, { signal: 'SIGTERM', env, there: 2 })
  assert.deepEqual(
    (await server.uploads()).map(({ UploadId }) => UploadId),
    [other.uploadId],
  )
})

test('an upload that disappears while it is sent is started over', async () => {
  const content = randomBytes(3 * PART)
  const { server, env } = await prepare(content)
  let isThere = true
  server.meddle = async seen => {
    if (isThere && partOf(seen) === 3) {
      isThere = false
      const [upload] = await server.uploads()
      const { BUCKET_NAME: Bucket } = server.env
      await server.client.send(
        new AbortMultipartUploadCommand({ Bucket, Key: 'raw/a.csv', UploadId: upload?.UploadId }),
      )
    }
    return seen.body
  }
  const { code, stdout } = await runJson(env)
  assert.equal(code, 0, stdout)
  assert.ok((await server.read('raw/a.csv')).equals(content))
  assert.deepEqual(await server.uploads(), [])
})

for (const rule of ['overwrite', 'keep', 'fail'] as const) {
  test(`an answer to the completion that gets lost is no failure and no conflict, ON_CONFLICT=${rule}`, async () => {
    const content = randomBytes(2 * PART)
    const { server, env } = await prepare(content)
    let losses = 1
    server.breakWith = ({ method, url }) =>
      method === 'POST' && url.includes('uploadId=') && losses-- > 0 ? FAULTS['a lost answer'] : undefined
    const { code, stdout, file } = await runJson({ ...env, ON_CONFLICT: rule })
    assert.equal(code, 0, stdout)
    assert.equal(losses, -1)
    assert.match(file?.outcome ?? '', /^(uploaded|unchanged)$/)
    assert.ok((await server.read('raw/a.csv')).equals(content))
    assert.deepEqual(await server.uploads(), [])
  })
}

test('an upload that was started with another checksum does not keep the file from landing', async () => {
  const content = randomBytes(3 * PART)
  const { server, env } = await prepare(content)
  await server.startUpload('raw/a.csv', { 1: content.subarray(0, PART) }, { ChecksumAlgorithm: 'SHA256' })
  const { code, stdout } = await runJson(env)
  assert.equal(code, 0, stdout)
  assert.ok((await server.read('raw/a.csv')).equals(content))
  if (!IS_CURRENT_CEPH) assert.deepEqual(sentParts(server.seen), [2, 3])
})
