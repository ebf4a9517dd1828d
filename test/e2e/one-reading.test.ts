/** A file is checked and sent by one reading; another one is made only if something must be known first. */
import assert from 'node:assert/strict'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Ended, preload, runJson, runProgram } from '../support/program'
import { startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const LARGE = 20 * MIB
const FILES = { 'large.csv': Buffer.alloc(LARGE, 'id,title\n'), 'small.csv': 'id,title\n1,Alien\n' }
const BYTES = LARGE + FILES['small.csv'].length

/** The bytes that the program read of its files. */
const readBytes = ({ stderr }: Ended) => Number(/^READ (\d+)$/m.exec(stderr)?.[1])

async function start() {
  const server = await startServer()
  const DATA_DIR = makeTempFolder(FILES)
  const env = { ...server.env, DATA_DIR, KEY_LAYOUT: '{file}', NODE_OPTIONS: preload('count-reads') }
  return { server, DATA_DIR, env }
}

describe('bytes read', { concurrency: 2 }, () => {
  test('of new files: each once', async () => {
    const { env } = await start()
    const ended = await runProgram(env)
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(readBytes(ended), BYTES)
  })

  test('with strict: each twice, since nothing is sent before all were checked', async () => {
    const { env } = await start()
    const ended = await runProgram({ ...env, CSV_CHECK: 'strict' })
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(readBytes(ended), 2 * BYTES)
  })

  test('of unchanged files, and in a dry run: each once, and nothing is sent', async () => {
    const { env, server } = await start()
    const dry = await runProgram(env, { args: ['--dry-run'] })
    assert.equal(readBytes(dry), BYTES)
    await runProgram(env)
    const sent = server.seen.length
    // s3rver's ETag of an object in parts is no MD5 of MD5s: only the small file can be known again.
    const again = await runProgram({ ...env, DATA_DIR: join(env.DATA_DIR, 'small.csv') })
    assert.equal(readBytes(again), FILES['small.csv'].length)
    assert.ok(server.seen.slice(sent).every(({ body }) => body.length === 0))
  })

  test('of a file whose key holds another object of its size: once to compare, and once to send', async () => {
    const { env, server } = await start()
    await server.createBucket()
    await server.write('large.csv', Buffer.alloc(LARGE, 'x'))
    const ended = await runProgram(env)
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(readBytes(ended), BYTES + LARGE)
  })
})

test('strict: a file that changed between the two readings fails, with its size and its time', async () => {
  const { env, server, DATA_DIR } = await start()
  const path = join(DATA_DIR, 'large.csv')
  utimesSync(path, 1, 1)
  writeFileSync(join(DATA_DIR, 'first.csv'), 'id\n1\n')
  server.meddle = seen => {
    // By now all files were checked, and the large one waits for its turn.
    if (seen.method === 'PUT' && seen.url.includes('first.csv')) {
      writeFileSync(path, 'ID', { flag: 'r+' })
      utimesSync(path, 1, 1)
    }
    return seen.body
  }
  const { code, ends } = await runJson({ ...env, CSV_CHECK: 'strict', CONCURRENCY: '1' })
  assert.equal(code, 1)
  assert.deepEqual(ends, ['first.csv uploaded', 'large.csv changed_while_reading', 'small.csv uploaded'])
  assert.deepEqual(await server.keys(), ['first.csv', 'small.csv'])
})

for (const [check, listings] of [
  ['warn', 1],
  ['strict', 2],
] as const) {
  test(`${check}: the bucket is listed ${listings === 1 ? 'once' : 'again after the check, which may take long'}`, async () => {
    const { env, server } = await start()
    await server.createBucket()
    const { code, stderr } = await runProgram({ ...env, CSV_CHECK: check })
    assert.equal(code, 0, stderr)
    assert.equal(server.seen.filter(({ url }) => url.includes('list-type=2')).length, listings)
  })
}

test('a part leaves before the next one is read, and the upload begins while the first one is read', async () => {
  const { env, server } = await start()
  const ended = await runProgram({ ...env, MAX_MEMORY: '8MiB' })
  assert.equal(ended.code, 0, ended.stderr)
  assert.ok(server.mostBytesInFlight <= 8 * MIB + FILES['small.csv'].length, `${server.mostBytesInFlight}`)
})
