/** What the program promises on every real server: each test is run against each of them. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { oneBitOff } from '../support/faults'
import { parseManifest, runBriefly, runJson, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { breakOff, environmentOf, partOf, SERVER, SERVER_URL, sentParts, startRealServer } from '../support/real-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const PART = 8 * MIB
const KEY = 'raw/a.csv'

/** RESUME_MIB: the size of the file whose upload is killed. */
const PARTS = Number(process.env['RESUME_MIB'] ?? 160) / 8
const KILLED_AFTER = Math.floor(PARTS * 0.9)

const lacks = (what: (typeof SERVER)['lacks'][number]) => SERVER.lacks.includes(what)

const isLook = ({ method, body }: SeenRequest) => ['HEAD', 'GET'].includes(method) && body.length === 0

test('files of every size land byte for byte, and the same again is unchanged after a few looks', async () => {
  const server = await startRealServer()
  const files = {
    'empty.csv': Buffer.alloc(0),
    'small.csv': Buffer.from('id\n1\n'),
    'one-part.csv': randomBytes(PART),
    'one-byte-more.csv': randomBytes(PART + 1),
    'large.csv': randomBytes(100 * MIB),
  }
  const inParts = ['one-byte-more.csv', 'large.csv']
  const env = { ...server.env, DATA_DIR: makeTempFolder(files) }
  const first = await runJson(env)
  assert.equal(first.code, 0, first.stdout)
  for (const { file, outcome, etag, warnings } of first.files) {
    assert.deepEqual([outcome, warnings], ['uploaded', []], file)
    // A look at the object may still tell the ETag.
    const mayLack = lacks('ETag of a completed upload') && inParts.includes(file)
    if (!mayLack || etag !== undefined) assert.match(etag ?? '', /^[0-9a-f]{32}(-\d+)?$/, file)
  }
  for (const [name, content] of Object.entries(files)) {
    assert.ok((await server.read(`raw/${name}`)).equals(content), name)
  }
  assert.deepEqual(
    await server.keys(),
    Object.keys(files)
      .map(name => `raw/${name}`)
      .sort(),
  )

  server.seen.length = 0
  const again = await runJson(env)
  assert.equal(again.code, 0)
  assert.equal(again.summary['unchanged'], 5, again.stdout)
  assert.ok(server.seen.every(isLook))
  // One for the listing, one for each file whose listed ETag is no plain MD5.
  assert.ok(server.seen.length <= 1 + inParts.length, `${server.seen.length} requests`)
})

for (const [what, size] of [
  ['small', 100],
  ['large', PART + 1],
] as const) {
  test(`an edit of a ${what} file that keeps its size is sent`, async () => {
    const server = await startRealServer()
    const content = randomBytes(size)
    const DATA_DIR = makeTempFolder({ 'a.csv': content })
    const env = { ...server.env, DATA_DIR }
    assert.equal((await runProgram(env)).code, 0)
    writeFileSync(join(DATA_DIR, 'a.csv'), oneBitOff(content))
    assert.match((await runProgram(env)).stdout, /1 uploaded, 0 unchanged, 0 failed/)
    assert.ok((await server.read(KEY)).equals(oneBitOff(content)))
  })
}

const OTHER = Buffer.from('other content\n')
for (const [rule, expected, outcome] of [
  ['overwrite', 0, 'uploaded'],
  ['keep', 0, 'kept'],
  ['fail', 1, 'failed'],
] as const) {
  for (const [what, content] of [
    ['small', Buffer.from('a,b\n1,2\n')],
    ['large', randomBytes(PART + 1)],
  ] as const) {
    /** The run with other content under its key, from the first request on that `appears` holds for. */
    const run = async (appears: (request: SeenRequest) => boolean) => {
      const server = await startRealServer()
      await server.createBucket()
      let isThere = false
      server.meddle = async seen => {
        if (!isThere && appears(seen)) {
          isThere = true
          await server.write(KEY, OTHER)
        }
        return seen.body
      }
      const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }), ON_CONFLICT: rule }
      const { code, stdout, file } = await runJson(env)
      assert.ok(isThere)
      return { server, code, file, stdout }
    }
    /** `run`, ended as the rule says. */
    const runByRule = async (appears: (request: SeenRequest) => boolean) => {
      const { server, code, file, stdout } = await run(appears)
      assert.deepEqual([code, file?.outcome], [expected, outcome], stdout)
      assert.equal(file?.error?.code, rule === 'fail' ? 'conflict' : undefined)
      assert.ok((await server.read(KEY)).equals(rule === 'overwrite' ? content : OTHER))
      assert.deepEqual(await server.uploads(), [])
      return server
    }

    test(`ON_CONFLICT=${rule}, ${what} file: other content that is there`, async () => {
      const { seen } = await runByRule(() => true)
      if (rule !== 'overwrite') assert.ok(seen.every(isLook))
    })

    test(`ON_CONFLICT=${rule}, ${what} file: other content that appears while the file is sent`, async () => {
      await runByRule(({ method, url }) => method === 'PUT' && url.includes('a.csv'))
    })

    if (what === 'large') {
      test(`ON_CONFLICT=${rule}, ${what} file: other content that appears as the upload is completed`, async () => {
        const atCompletion = ({ method, url }: SeenRequest) => method === 'POST' && url.includes('uploadId=')
        if (!lacks('condition on completion')) return void (await runByRule(atCompletion))
        const { server, file } = await run(atCompletion)
        assert.equal(file?.outcome, 'uploaded')
        assert.ok((await server.read(KEY)).equals(content))
      })
    }
  }
}

test('keys that are hard to sign are read back by what they say', async () => {
  const server = await startRealServer()
  const names = [
    ...['with space.csv', 'nfc-\u00e9.csv', 'nfd-e\u0301.csv', 'hash#1.csv', 'what?.csv', 'per%41cent.csv'],
    ...['pl+us.csv', '-dash.csv', 'a..b.csv', 'emoji-😀.csv', `quo'te!().csv`, 'amp&<x>.csv'],
    ...['sub folder/deep~=@$,;:.CSV', '*.csv'],
  ]
  const DATA_DIR = makeTempFolder(Object.fromEntries(names.map(name => [name, `name\n${name}\n`])))
  const env = { ...server.env, DATA_DIR, KEY_LAYOUT: 'raw #%+é/{date:yyyy-MM-dd}/{file}' }
  const { code, stdout, stderr } = await runProgram(env)
  assert.equal(code, 0, stderr)
  assert.match(stdout, new RegExp(`${names.length} uploaded`))
  const keyOf = (name: string) => `raw #%+é/2024-10-21/${name.normalize('NFC')}`
  for (const name of names) assert.equal((await server.read(keyOf(name))).toString(), `name\n${name}\n`)
  assert.deepEqual(await server.keys(), names.map(keyOf).sort())
  assert.match((await runProgram(env)).stdout, new RegExp(`0 uploaded, ${names.length} unchanged`))
})

for (const [signal, rule, expected] of [
  ['SIGKILL', undefined, null],
  ['SIGTERM', 'keep', 143],
  ['SIGINT', 'keep', 130],
] as const) {
  test(`${signal}${rule === undefined ? '' : ` with ON_INTERRUPT=${rule}`} at 90 %: the next run sends the other 10 %`, async () => {
    const server = await startRealServer()
    await server.createBucket()
    const content = randomBytes(PARTS * PART - 1)
    const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }) }
    const { code, stderr } = await breakOff(server, KILLED_AFTER, { signal, env: { ...env, ON_INTERRUPT: rule } })
    assert.equal(code, expected)
    if (rule === 'keep') assert.match(stderr, /its parts are kept for the next run/)
    assert.equal((await server.uploads()).length, 1)

    const { code: again, stdout, file } = await runJson(env)
    assert.equal(again, 0, stdout)
    const missing = Array.from({ length: PARTS - KILLED_AFTER }, (_, index) => KILLED_AFTER + 1 + index)
    assert.deepEqual(sentParts(server.seen), missing)
    const bytes = server.seen.filter(seen => partOf(seen) > 0).reduce((sum, { body }) => sum + body.length, 0)
    assert.equal(bytes, content.length - KILLED_AFTER * PART)
    assert.deepEqual(file?.warnings, [])
    assert.ok((await server.read(KEY)).equals(content))
    assert.deepEqual(await server.uploads(), [])
    assert.match((await runProgram(env)).stdout, /0 uploaded, 1 unchanged/)
  })
}

for (const [signal, expected] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`${signal} leaves neither an object nor an unfinished upload behind`, async () => {
    const server = await startRealServer()
    await server.createBucket()
    const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': randomBytes(10 * PART) }) }
    const { code } = await breakOff(server, 2, { signal, env })
    assert.equal(code, expected)
    assert.deepEqual(await server.uploads(), [])
    assert.deepEqual(await server.keys(), [])
  })
}

test('MANIFEST is written last, over the one of the run before', async () => {
  const server = await startRealServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'id\n1\n' }), MANIFEST: 'true' }
  for (const outcome of ['uploaded', 'unchanged']) {
    server.seen.length = 0
    assert.equal((await runProgram(env)).code, 0)
    assert.match(server.seen.filter(({ method }) => method === 'PUT').at(-1)?.url ?? '', /manifest\.json/)
    const manifest = parseManifest(await server.read('Raw/Local/CSV/_manifests/2024-10-21/manifest.json'))
    assert.equal(manifest.files[0]?.outcome, outcome)
  }
})

test('1,200 files land, and the same again takes two requests: the pages of the listing', async () => {
  const server = await startRealServer()
  const files = Object.fromEntries(
    Array.from({ length: 1200 }, (_, index) => [`f${String(index).padStart(4, '0')}.csv`, `id\n${index}\n`]),
  )
  const env = { ...server.env, DATA_DIR: makeTempFolder(files) }
  const { code, stdout } = await runProgram(env)
  assert.equal(code, 0, stdout)
  assert.deepEqual(
    await server.keys(),
    Object.keys(files).map(name => `raw/${name}`),
  )
  for (const name of ['f0000.csv', 'f0999.csv', 'f1000.csv', 'f1199.csv']) {
    assert.equal((await server.read(`raw/${name}`)).toString(), files[name])
  }
  server.seen.length = 0
  const again = await runJson(env)
  assert.equal(again.code, 0)
  assert.equal(again.summary['unchanged'], 1200)
  assert.ok(server.seen.every(isLook))
  assert.ok(server.seen.length <= 2, `${server.seen.length} requests`)
})

const SECRET_ADVICE = /Check AWS_SECRET_ACCESS_KEY/
for (const [what, credentials, says] of [
  ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 's3cr+t/wrong=#key00000000000000000000000001' }, SECRET_ADVICE],
  [
    'an unknown key',
    { AWS_ACCESS_KEY_ID: 'AKIANOBODYNOBODYNOBO' },
    lacks('name of an unknown key') ? SECRET_ADVICE : /Check AWS_ACCESS_KEY_ID/,
  ],
] as const) {
  test(`${what} is exit 3, whether the bucket is there or not, and nothing is written`, async () => {
    for (const isThere of [true, false]) {
      const server = await startRealServer()
      if (isThere) await server.createBucket()
      const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'id\n1\n' }), ...credentials }
      const { code, stderr } = await runProgram(env)
      assert.equal(code, 3, stderr)
      assert.match(stderr, says)
      assert.ok(!server.seen.some(({ method, url }) => method === 'PUT' && url.includes('.csv')))
    }
  })
}

test('a key without the right to write: 20 files of one part fail, exit 4, and the process ends', async () => {
  const server = await startRealServer()
  await server.createBucket()
  const content = randomBytes(PART)
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}.csv`, content]))
  const env = { ...server.env, ...environmentOf(SERVER.other), DATA_DIR: makeTempFolder(files), CSV_CHECK: 'off' }
  // Past the proxy, which would read what the server does not.
  const { code, stdout, files: reported } = await runBriefly({ ...env, AWS_ENDPOINT_URL: SERVER_URL })
  assert.equal(code, 4, stdout)
  for (const { outcome, error } of reported) {
    assert.deepEqual([outcome, error?.code, error?.retryable], ['failed', 'bucket', false])
  }
  assert.deepEqual(await server.keys(), [])
})
