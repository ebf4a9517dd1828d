/** What a signal leaves behind: nothing begun goes on, nothing stays half done, and every file is accounted for. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { defer } from '../support/deferred'
import { kindOf } from '../support/faults'
import { preload, runJson, startJson, startProgram, type Told } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

const countOf = ({ seen }: TestServer, kind: string) => seen.filter(request => kindOf(request) === kind).length

/** What a container has from the signal on, before it is killed. */
const DOCKER_GRACE_MS = 10_000

/** Runs until a request that `wanted` holds for is held, then sends the signal, and at the end of the grace kills it. */
async function stopAt(
  server: TestServer,
  wanted: (seen: SeenRequest) => boolean,
  env: Readonly<Record<string, string>>,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<Told> {
  const { meddle } = server
  const arrived = new Promise<void>(resolve => {
    server.meddle = (seen, response) => {
      if (!wanted(seen)) return meddle(seen, response)
      resolve()
      return undefined
    }
  })
  const program = startJson({ ...server.env, CSV_CHECK: 'off', ...env })
  await arrived
  program.kill(signal)
  const killer = setTimeout(() => program.kill('SIGKILL'), DOCKER_GRACE_MS)
  const ended = await program.ended
  clearTimeout(killer)
  return ended
}

describe('stop', { concurrency: 4 }, () => {
  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`${signal} cancels what is in flight, aborts the multipart upload and exits ${expected} with a summary`, async () => {
      const server = await startServer()
      const env = { DATA_DIR: makeTempFolder({ 'large.csv': Buffer.alloc(20 * MIB, 'a,b\n') }), CSV_CHECK: 'warn' }
      const { code, summary } = await stopAt(server, seen => kindOf(seen) === 'UploadPart', env, signal)
      assert.equal(code, expected)
      assert.equal(countOf(server, 'AbortMultipartUpload'), 1)
      assert.equal(summary['failed'], 1)
      assert.equal(summary['exitCode'], expected)
      assert.deepEqual(await server.keys(), [])
    })
  }

  test('what had landed stays reported, what had failed keeps its reason, and nothing new is begun', async () => {
    const server = await startServer()
    server.meddle = (seen, response) => (seen.url.includes('b.csv') ? refuse(response, 403, 'AccessDenied') : seen.body)
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'b.csv': 'b\n', 'c.csv': 'c\n', 'd.csv': 'd\n' })
    const ended = await stopAt(server, ({ url }) => url.includes('c.csv'), { DATA_DIR, CONCURRENCY: '1' })
    assert.equal(ended.code, 143)
    assert.deepEqual(ended.ends, ['a.csv uploaded', 'b.csv bucket', 'c.csv interrupted', 'd.csv interrupted'])
    assert.equal(server.seen.filter(({ url }) => url.includes('d.csv')).length, 0)
  })

  test('while the bucket is listed: each file says so', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'large.csv': Buffer.alloc(9 * MIB) })
    const ended = await stopAt(server, seen => kindOf(seen) === 'ListObjectsV2', { DATA_DIR })
    assert.equal(ended.code, 143)
    assert.deepEqual(ended.ends, ['a.csv interrupted', 'large.csv interrupted'])
    assert.equal(countOf(server, 'PutObject') + countOf(server, 'CreateMultipartUpload'), 0)
  })

  test('while files are read: each file says so', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'b.csv': '' })
    // Takes seconds to read, and no space.
    truncateSync(join(DATA_DIR, 'b.csv'), 16 * GIB)
    // Never answers, so that a.csv is not faster than the signal.
    server.meddle = seen => (kindOf(seen) === 'PutObject' ? undefined : seen.body)
    const program = startJson({ ...server.env, DATA_DIR })
    let printed = ''
    let isStopped = false
    program.stdout?.on('data', chunk => {
      printed += chunk
      // Once: a second signal ends the program where it stands.
      if (!isStopped && printed.includes('"event":"bucket"')) isStopped = program.kill('SIGINT')
    })
    const ended = await program.ended
    assert.equal(ended.code, 130)
    assert.deepEqual(ended.ends, ['a.csv interrupted', 'b.csv interrupted'])
    assert.equal(ended.summary['failed'], 2)
  })

  test('every upload that was begun is aborted, also one that the server only then tells of', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(9 * MIB, 'a'), 'b.csv': Buffer.alloc(9 * MIB, 'b') })
    const program = startJson({ ...server.env, DATA_DIR, CSV_CHECK: 'off' })
    const cancelled = defer<void>()
    const partOfA = defer<void>()
    server.meddle = async (seen, response) => {
      const isOfA = seen.url.includes('a.csv')
      if (kindOf(seen) === 'UploadPart') {
        response.on('close', () => cancelled.resolve())
        if (isOfA) partOfA.resolve()
        return undefined
      }
      if (kindOf(seen) === 'CreateMultipartUpload' && !isOfA) {
        await partOfA.promise
        program.kill('SIGTERM')
        await cancelled.promise
      }
      return seen.body
    }
    const ended = await program.ended
    assert.equal(ended.code, 143)
    assert.deepEqual(ended.ends, ['a.csv interrupted', 'b.csv interrupted'])
    assert.equal(countOf(server, 'CreateMultipartUpload'), 2)
    assert.equal(countOf(server, 'AbortMultipartUpload'), 2)
  })

  test('ON_INTERRUPT=keep leaves the parts for the next run, and says so', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(9 * MIB) })
    const ended = await stopAt(server, ({ url }) => url.includes('partNumber=2'), { DATA_DIR, ON_INTERRUPT: 'keep' })
    assert.equal(ended.code, 143)
    assert.equal(countOf(server, 'AbortMultipartUpload'), 0)
    assert.deepEqual(ended.file?.warnings, ['its parts are kept for the next run'])
  })

  test('an abort that is not answered is given up in time for the summary, which tells of it', async () => {
    const server = await startServer()
    server.meddle = seen => (kindOf(seen) === 'AbortMultipartUpload' ? undefined : seen.body)
    const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(9 * MIB) })
    const ended = await stopAt(server, seen => kindOf(seen) === 'UploadPart', { DATA_DIR })
    assert.equal(ended.code, 143)
    assert.equal(countOf(server, 'AbortMultipartUpload'), 1)
    assert.match(ended.file?.warnings.join() ?? '', /its unfinished upload was not aborted/)
  })

  test('while the run waits to try again: it does not wait any longer', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
    const program = startJson({ ...server.env, DATA_DIR })
    server.meddle = (seen, response) => {
      if (kindOf(seen) !== 'PutObject') return seen.body
      // The fifth pause is half of 16 s on average, and more than that after a Retry-After.
      if (countOf(server, 'PutObject') === 2) setImmediate(() => program.kill('SIGTERM'))
      return refuse(response, 503, 'SlowDown', { 'retry-after': '60' })
    }
    const ended = await program.ended
    assert.equal(ended.code, 143)
    assert.equal(countOf(server, 'PutObject'), 2)
  })

  test('while folders are looked through: no further than this', async () => {
    const names = Array.from({ length: 400 }, (_, index) => `${index}.csv`)
    const DATA_DIR = makeTempFolder(Object.fromEntries(names.map(name => [name, 'a\n'])))
    const env = { DATA_DIR, BUCKET_NAME: 'lake', NODE_OPTIONS: preload('stop-in-folder') }
    const { code, summary, stderr } = await runJson(env)
    assert.equal(code, 143)
    assert.equal(summary['exitCode'], 143)
    assert.ok(Number(/(\d+) looks/.exec(stderr)?.[1]) < names.length, stderr)
  })

  test('output that nobody reads any more does not end the upload', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
    const program = startProgram({ ...server.env, DATA_DIR })
    program.stdout?.destroy()
    program.stderr?.destroy()
    const [[code]] = await Promise.all([once(program, 'exit'), program.ended.catch(() => undefined)])
    assert.equal(code, 0)
    assert.equal((await server.keys()).length, 1)
  })
})
