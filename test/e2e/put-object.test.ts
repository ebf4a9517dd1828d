/** Large files, memory and a second signal, seen from the wire. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { runJson, runProgram, startProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder, numberedFiles } from '../support/temp-folder'

const MIB = 1024 * 1024
const KEY = 'Raw/Local/CSV/Large/2024/10/21/large.csv'

const isPart = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('partNumber=')
const isAbort = ({ method, url }: SeenRequest) => method === 'DELETE' && url.includes('uploadId=')

test('a file over the part size goes up in parts, within MAX_MEMORY, and is read back identical', async () => {
  const server = await startServer()
  const content = randomBytes(40 * MIB + 1)
  const env = {
    ...server.env,
    DATA_DIR: makeTempFolder({ 'large.csv': content, 'small.csv': 'a\n' }),
    RUN_DATE: '2024-10-21',
    MAX_MEMORY: '16MiB',
  }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    server.seen
      .filter(isPart)
      .map(({ body }) => body.length)
      .sort((a, b) => a - b),
    [1, ...Array(5).fill(8 * MIB)],
  )
  assert.ok(server.mostBytesInFlight <= 16 * MIB, `${server.mostBytesInFlight} bytes at once`)
  assert.ok(server.mostBytesInFlight > 8 * MIB, 'parts are sent one after the other')
  assert.deepEqual((await server.read(KEY)).body, content)

  server.seen.length = 0
  const again = await runProgram(env)
  assert.match(again.stdout, /0 uploaded, 2 unchanged/)
  assert.deepEqual(
    server.seen.filter(({ method, body }) => method === 'PUT' || body.length > 0),
    [],
  )
})

test('a file of n parts takes n + 2 requests, and each run three more; connections are used again', async () => {
  const server = await startServer()
  await server.createBucket()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'large.csv': randomBytes(32 * MIB) }), CONCURRENCY: '2' }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 0, stderr)
  const kinds = server.seen.map(
    ({ method, url }) => `${method} ${url.replace(/=[^&]*/g, '').replace(/^[^?]*[?]?/, '')}`,
  )
  const names = server.seen.map(({ headers }) => headers['user-agent']?.replace(/ .*/s, '').replace(/[\d.]+$/, ''))
  assert.deepEqual(new Set(names), new Set(['aws-sdk-js/']))
  assert.deepEqual(kinds.sort(), [
    'GET list-type&prefix',
    'GET prefix&uploads',
    'HEAD ',
    // s3rver's ETag of an object in parts proves nothing, so the program looks at the object.
    'HEAD ',
    'POST uploadId',
    'POST uploads',
    ...Array(4).fill('PUT partNumber&uploadId&x-id'),
  ])
  assert.ok(server.connections <= 2, `${server.connections} connections`)
})

test('no more than CONCURRENCY requests are in flight, whatever the number of files', async () => {
  const server = await startServer()
  server.meddle = async seen => {
    // Answers only once as many requests as may be are there, or no more can come.
    if (seen.method === 'PUT' && seen.url.includes('.csv'))
      while (server.inFlight < 3 && waiting()) await new Promise(setImmediate)
    return seen.body
  }
  const DATA_DIR = makeTempFolder(numberedFiles(9))
  const waiting = () => server.seen.filter(({ url }) => url.includes('.csv')).length < 9
  const { code } = await runProgram({ ...server.env, DATA_DIR, CONCURRENCY: '3' })
  assert.equal(code, 0)
  assert.equal(server.mostInFlight, 3)
})

test('a second signal ends the program at once, though the server does not answer the abort', async () => {
  const server = await startServer()
  let arrived = (_: SeenRequest) => {}
  const next = (wanted: (seen: SeenRequest) => boolean) =>
    new Promise<void>(resolve => {
      arrived = seen => {
        if (wanted(seen)) resolve()
      }
    })
  server.meddle = seen => {
    arrived(seen)
    return isPart(seen) || isAbort(seen) ? undefined : seen.body
  }
  const firstPart = next(isPart)
  const program = startProgram({ ...server.env, DATA_DIR: makeTempFolder({ 'large.csv': Buffer.alloc(9 * MIB) }) })
  await firstPart
  const abort = next(isAbort)
  program.kill('SIGTERM')
  await abort
  program.kill('SIGTERM')
  const [code] = await once(program, 'exit')
  assert.equal(code, 143)
})

test('a part that the server refuses for good fails its file, and its upload is aborted', async () => {
  const server = await startServer()
  server.meddle = (seen, response) => (isPart(seen) ? refuse(response, 403, 'AccessDenied') : seen.body)
  const DATA_DIR = makeTempFolder({ 'large.csv': Buffer.alloc(9 * MIB), 'small.csv': 'a\n' })
  const { code, stdout, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 4)
  assert.match(stdout, /1 uploaded, 0 unchanged, 1 failed/)
  assert.match(stderr, /Upload of part \d of large\.csv failed: AccessDenied\. Allow s3:PutObject/)
  assert.equal(server.seen.filter(isAbort).length, 1)
})

test('refused credentials stop the run: the files that were not begun are not tried', async () => {
  const server = await startServer()
  server.meddle = (seen, response) => (seen.url.includes('.csv') ? refuse(response, 400, 'ExpiredToken') : seen.body)
  const DATA_DIR = makeTempFolder(numberedFiles(20))
  const { code, stdout } = await runProgram({ ...server.env, DATA_DIR, CONCURRENCY: '2' })
  assert.equal(code, 3)
  assert.match(stdout, /0 uploaded, 0 unchanged, 20 failed/)
  assert.ok(server.seen.filter(({ url }) => url.includes('.csv')).length <= 2)
})

test('a server that ignores If-None-Match is named, once a run, and only where it matters', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder(numberedFiles(5))
  for (const ON_CONFLICT of ['keep', 'fail', 'overwrite']) {
    const env = { ...server.env, DATA_DIR, ON_CONFLICT, STORAGE_LAYER: ON_CONFLICT }
    const { code, files } = await runJson(env)
    assert.equal(code, 0)
    const warnings = files.flatMap(file => file.warnings)
    const says = 'the server ignores If-None-Match: what others write while a run goes on may be written over'
    assert.deepEqual(warnings, ON_CONFLICT === 'overwrite' ? [] : [says])
  }
})

test("the content of a directory bucket is signed with the bucket's session", async () => {
  const server = await startServer()
  server.meddle = ({ method, url, headers }, response) => {
    if (method === 'PUT') {
      const checksum = String(headers['x-amz-checksum-crc32'])
      response.writeHead(200, { etag: '"1"', 'x-amz-checksum-crc32': checksum }).end()
    } else if (url.includes('session')) {
      const end = '<Expiration>2100-01-01T00:00:00Z</Expiration>'
      const keys =
        '<SessionToken>token</SessionToken><SecretAccessKey>secret</SecretAccessKey><AccessKeyId>id</AccessKeyId>'
      response.writeHead(200).end(`<CreateSessionResult><Credentials>${keys}${end}</Credentials></CreateSessionResult>`)
    } else response.writeHead(200).end(method === 'HEAD' ? undefined : '<ListBucketResult></ListBucketResult>')
    return undefined
  }
  const env = { BUCKET_NAME: 'lake--use1-az4--x-s3', DATA_DIR: makeTempFolder({ 'small.csv': 'a\n' }) }
  const { code, stderr } = await runProgram({ ...server.env, ...env })
  assert.equal(code, 0, stderr)
  const tokens = server.seen
    .filter(({ method }) => method === 'PUT')
    .map(({ headers }) => headers['x-amz-s3session-token'])
  assert.deepEqual(tokens, ['token'])
})
