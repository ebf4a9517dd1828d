/** Keys that may do little: what is not known is neither made up nor asked for again and again. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_CREDENTIALS, runJson, startProgram } from '../support/program'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024

for (const [size, bytes] of [
  ['small', 10],
  ['large', 9 * MIB],
] as const) {
  for (const [rule, outcome, exit] of [
    ['keep', 'kept', 0],
    ['fail', 'conflict', 1],
  ] as const) {
    test(`with s3:PutObject alone, a ${size} file whose key is taken is sent once, and ${outcome} with ON_CONFLICT=${rule}`, async () => {
      const server = await startServer()
      server.meddle = (seen, response) => {
        if (['HEAD', 'GET'].includes(seen.method)) return refuse(response, 403, 'AccessDenied')
        return seen.headers['if-none-match'] === '*' ? refuse(response, 412, 'PreconditionFailed') : seen.body
      }
      await server.createBucket()
      const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(bytes, 'a\n') })
      const { code, stdout, file } = await runJson({ ...server.env, DATA_DIR, ON_CONFLICT: rule })
      assert.equal(code, exit, stdout)
      assert.equal(file?.error?.code ?? file?.outcome, outcome)
      assert.equal(server.seen.filter(({ headers }) => headers['if-none-match'] === '*').length, 1)
    })
  }
}

test('what was answered with 200 and is not there is no upload', async () => {
  const server = await startServer()
  server.meddle = (seen, response) => {
    if (!seen.url.includes('.csv')) return seen.body
    if (seen.method !== 'PUT') return refuse(response, 404, 'NotFound')
    response.writeHead(200, { etag: '"opaque"' }).end()
    return undefined
  }
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  const { code, file } = await runJson({ ...server.env, DATA_DIR })
  assert.equal(code, 1)
  assert.deepEqual([file?.outcome, file?.error?.code, file?.error?.retryable], ['failed', 'verify_mismatch', true])
})

test('a bucket that was created by a key that may not look at it was created, and gets its lifecycle rule', async () => {
  const server = await startServer()
  let isCreated = false
  server.meddle = (seen, response) => {
    if (seen.method === 'PUT' && !seen.url.includes('.csv') && !seen.url.includes('lifecycle')) isCreated = true
    return isCreated && ['HEAD', 'GET'].includes(seen.method) ? refuse(response, 403, 'AccessDenied') : seen.body
  }
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  const { code, stdout, summary } = await runJson({ ...server.env, DATA_DIR })
  assert.equal(code, 0, stdout)
  assert.equal(summary['bucketOutcome'], 'created')
  assert.equal(server.seen.filter(({ url }) => url.includes('lifecycle')).length, 1)
})

test('a signal ends the wait for credentials, too: exit 143', async () => {
  const folder = makeTempFolder({
    // Gives nothing, and ends with who asked.
    'hang.js': `const { ppid } = process
      setInterval(() => process.ppid === ppid || process.exit(), 50)
      setTimeout(() => process.exit(), 10_000)`,
  })
  const server = await startServer()
  writeFileSync(
    join(folder, 'config'),
    `[profile lake]\ncredential_process = "${process.execPath}" ${folder}/hang.js\n`,
  )
  const profile = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_PROFILE: 'lake' }
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  const program = startProgram({ ...server.env, ...NO_CREDENTIALS, ...profile, DATA_DIR })
  await once(program.stdout ?? program, 'data')
  program.kill('SIGTERM')
  const { code } = await program.ended
  assert.equal(code, 143)
  assert.deepEqual(server.seen, [])
})
