/** Every request takes one of CONCURRENCY slots, in one place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { kindOf } from '../support/faults'
import { FAST_CLOCK, runProgram } from '../support/program'
import { startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
/** Longer than the limit for a connection, on the program's faster clock. */
const SLOW_MS = 1000

test('a completion that takes long holds one slot: the parts of another file wait for theirs, and none is sent twice', async () => {
  const server = await startServer()
  let isCompleted = false
  server.meddle = async seen => {
    const kind = kindOf(seen)
    if (kind === 'UploadPart' && seen.url.includes('b.csv')) await pause(SLOW_MS)
    if (kind === 'CompleteMultipartUpload' && seen.url.includes('a.csv')) {
      const left = () => server.seen.filter(({ url }) => url.includes('b.csv') && url.includes('uploadId')).length < 5
      while (left()) await new Promise(setImmediate)
      isCompleted = true
    }
    return seen.body
  }
  const files = { 'a.csv': Buffer.alloc(8 * MIB + 1, 'a\n'), 'b.csv': Buffer.alloc(32 * MIB, 'b\n') }
  const env = { ...server.env, ...FAST_CLOCK, DATA_DIR: makeTempFolder(files), CONCURRENCY: '2', CSV_CHECK: 'off' }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 0, stderr)
  assert.ok(isCompleted)
  assert.ok(server.mostInFlight <= 2, `${server.mostInFlight} requests were in flight`)
  const attempts = server.seen.map(({ headers }) => String(headers['amz-sdk-request']))
  assert.deepEqual(
    attempts.filter(attempt => !attempt.startsWith('attempt=1;')),
    [],
  )
  assert.equal((await server.keys()).length, 2)
})
