/** Multipart uploads that were broken off: what the next run finds on the server, and what is left there. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { AbortMultipartUploadCommand } from '@aws-sdk/client-s3'
import { IS_CURRENT, startCeph } from '../../support/ceph'
import { FAULTS } from '../../support/faults'
import { reportedFiles, runProgram, startProgram } from '../../support/program'
import type { SeenRequest } from '../../support/proxy'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024
const PART = 8 * MIB
const JSON_OUTPUT = { args: ['--json'] }

/** RESUME_MIB: the size of the file whose upload is killed. */
const PARTS = Number(process.env['RESUME_MIB'] ?? 160) / 8
const KILLED_AFTER = Math.floor(PARTS * 0.9)

const partOf = ({ method, url }: SeenRequest) =>
  method === 'PUT' ? Number(new URL(url, 'http://x').searchParams.get('partNumber') ?? 0) : 0
const uploadOf = ({ url }: SeenRequest) => new URL(url, 'http://x').searchParams.get('uploadId')
const sentParts = (seen: readonly SeenRequest[]) =>
  seen
    .map(partOf)
    .filter(Boolean)
    .sort((a, b) => a - b)

async function prepare(content: Buffer) {
  const server = await startCeph()
  await server.createBucket()
  return { server, env: { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }), KEY_LAYOUT: 'raw/{file}' } }
}

type Prepared = Awaited<ReturnType<typeof prepare>>

interface End {
  readonly signal: NodeJS.Signals
  readonly ON_INTERRUPT?: string | undefined
  /** Parts that are there before. */
  readonly there?: number
}

/** Runs the program until `parts` parts are there and another one is on its way, sends a signal, and waits for its end. */
async function breakOff({ server, env }: Prepared, parts: number, { signal, ON_INTERRUPT, there = 0 }: End) {
  const ready = new Promise<void>(resolve => {
    let landed = there
    let held = 0
    server.meddle = (seen, response) => {
      const part = partOf(seen)
      if (part > parts) held += 1
      else if (part > 0) {
        response.on('finish', () => {
          landed += 1
          if (landed === parts && held > 0) resolve()
        })
      }
      if (landed === parts && held > 0) resolve()
      return part > parts ? undefined : seen.body
    }
  })
  const program = startProgram({ ...env, ON_INTERRUPT })
  await ready
  program.kill(signal)
  const ended = await program.ended
  server.meddle = seen => seen.body
  server.seen.length = 0
  return ended
}

const ENDS = [
  ['SIGKILL', undefined, null],
  ['SIGTERM', 'keep', 143],
  ['SIGINT', 'keep', 130],
] as const
for (const [signal, rule, expected] of ENDS) {
  test(`${signal}${rule === undefined ? '' : ` with ON_INTERRUPT=${rule}`} at 90 %: the next run sends the other 10 %`, async () => {
    const content = randomBytes(PARTS * PART - 1)
    const prepared = await prepare(content)
    const { server, env } = prepared
    const { code, stderr } = await breakOff(prepared, KILLED_AFTER, { signal, ON_INTERRUPT: rule })
    assert.equal(code, expected)
    if (rule === 'keep') assert.match(stderr, /its parts are kept for the next run/)
    assert.equal((await server.uploads()).length, 1)
    const { code: again, stdout } = await runProgram(env, JSON_OUTPUT)
    assert.equal(again, 0)
    const missing = Array.from({ length: PARTS - KILLED_AFTER }, (_, index) => KILLED_AFTER + 1 + index)
    assert.deepEqual(sentParts(server.seen), missing)
    const bytes = server.seen.filter(seen => partOf(seen) > 0).reduce((sum, { body }) => sum + body.length, 0)
    assert.equal(bytes, content.length - KILLED_AFTER * PART)
    assert.deepEqual(reportedFiles(stdout)[0]?.warnings, [])
    assert.ok((await server.read('raw/a.csv')).equals(content))
    assert.deepEqual(await server.uploads(), [])
    assert.match((await runProgram(env)).stdout, /0 uploaded, 1 unchanged/)
  })
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} leaves no upload behind`, async () => {
    const prepared = await prepare(randomBytes(10 * PART))
    const { code } = await breakOff(prepared, 2, { signal })
    assert.equal(code, signal === 'SIGTERM' ? 143 : 130)
    assert.deepEqual(await prepared.server.uploads(), [])
    assert.deepEqual(await prepared.server.keys(), [])
  })
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
  const { code, stdout } = await runProgram(env, JSON_OUTPUT)
  assert.equal(code, 0)
  assert.deepEqual(sentParts(server.seen), [1, 2, 3])
  const written = server.seen.filter(seen => seen.method !== 'GET' && uploadOf(seen) === foreign.uploadId)
  assert.deepEqual(written, [])
  assert.deepEqual(reportedFiles(stdout)[0]?.warnings, [
    'another unfinished upload of its key, 0 h old, is left to the lifecycle rule',
  ])
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
  if (!IS_CURRENT) assert.match((await runProgram(env)).stdout, /1 uploaded, 0 unchanged/)
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
  const { stdout } = await runProgram(env, JSON_OUTPUT)
  assert.deepEqual(sentParts(server.seen), [1, 3])
  assert.equal(reportedFiles(stdout)[0]?.warnings.length, 1)
  const left = await server.uploads()
  assert.deepEqual(left.map(({ Key }) => Key).sort(), ['raw/a.csv', 'raw/a.csv.bak'])
  assert.ok(left.some(({ UploadId }) => UploadId === older.uploadId))
})

test('a run that is stopped aborts the upload that it took up, and no other', async () => {
  const content = randomBytes(10 * PART)
  const prepared = await prepare(content)
  const { server } = prepared
  const other = await server.startUpload('raw/a.csv', { 1: randomBytes(PART) })
  await server.startUpload('raw/a.csv', { 1: content.subarray(0, PART), 2: content.subarray(PART, 2 * PART) })
  await breakOff(prepared, 4, { signal: 'SIGTERM', there: 2 })
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
  const { code, stdout } = await runProgram(env, JSON_OUTPUT)
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
    const { code, stdout } = await runProgram({ ...env, ON_CONFLICT: rule }, JSON_OUTPUT)
    assert.equal(code, 0, stdout)
    assert.equal(losses, -1)
    assert.match(reportedFiles(stdout)[0]?.outcome ?? '', /^(uploaded|unchanged)$/)
    assert.ok((await server.read('raw/a.csv')).equals(content))
    assert.deepEqual(await server.uploads(), [])
  })
}

test('an upload that was started with another checksum does not keep the file from landing', async () => {
  const content = randomBytes(3 * PART)
  const { server, env } = await prepare(content)
  await server.startUpload('raw/a.csv', { 1: content.subarray(0, PART) }, { ChecksumAlgorithm: 'SHA256' })
  const { code, stdout } = await runProgram(env, JSON_OUTPUT)
  assert.equal(code, 0, stdout)
  assert.ok((await server.read('raw/a.csv')).equals(content))
  if (!IS_CURRENT) assert.deepEqual(sentParts(server.seen), [2, 3])
})
