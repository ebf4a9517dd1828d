/** The main job against a server that checks signatures, conditions and checksums. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { IS_CURRENT, startCeph } from '../../support/ceph'
import { parseEvents, reportedFiles, runProgram } from '../../support/program'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024
const JSON_OUTPUT = { args: ['--json'] }

test('small and large files land byte for byte, and a second run sends no body', async () => {
  const server = await startCeph()
  const files = {
    'empty.csv': '',
    'small.csv': 'id\n1\n',
    'part.csv': randomBytes(8 * MIB),
    'large.csv': randomBytes(20 * MIB),
  }
  const env = { ...server.env, DATA_DIR: makeTempFolder(files), KEY_LAYOUT: 'raw/{file}' }
  const { code, stdout } = await runProgram(env, JSON_OUTPUT)
  assert.equal(code, 0, stdout)
  for (const file of reportedFiles(stdout)) {
    assert.equal(file.outcome, 'uploaded')
    // 16 completes an upload with an empty ETag.
    if (IS_CURRENT || file.file !== 'large.csv') assert.match(file.etag ?? '', /^[0-9a-f]{32}(-3)?$/, file.file)
    else assert.equal(file.etag, undefined)
    assert.deepEqual(file.warnings, [])
  }
  for (const [name, content] of Object.entries(files)) {
    assert.deepEqual(await server.read(`raw/${name}`), Buffer.from(content))
  }
  server.seen.length = 0
  const again = await runProgram(env, JSON_OUTPUT)
  assert.equal(again.code, 0)
  assert.equal(parseEvents(again.stdout).at(-1)?.['unchanged'], 4)
  assert.deepEqual(
    server.seen.filter(({ method, body }) => !['HEAD', 'GET'].includes(method) || body.length > 0),
    [],
  )
})

for (const [what, size] of [
  ['small', 100],
  ['large', 9 * MIB],
] as const) {
  test(`an edit of a ${what} file that keeps its size is seen and sent`, async () => {
    const server = await startCeph()
    const content = randomBytes(size)
    const DATA_DIR = makeTempFolder({ 'a.csv': content })
    const env = { ...server.env, DATA_DIR, KEY_LAYOUT: 'raw/{file}' }
    assert.equal((await runProgram(env)).code, 0)
    content[size - 1] = (content[size - 1] ?? 0) ^ 1
    writeFileSync(join(DATA_DIR, 'a.csv'), content)
    assert.match((await runProgram(env)).stdout, /1 uploaded, 0 unchanged, 0 failed/)
    assert.deepEqual(await server.read('raw/a.csv'), content)
  })
}

test('keys that are hard to sign are read back by what they say', async () => {
  const server = await startCeph()
  const names = [
    ...[
      'with space.csv',
      'nfc-\u00e9.csv',
      'nfd-e\u0301.csv',
      'hash#1.csv',
      'what?.csv',
      'per%41cent.csv',
      'pl+us.csv',
    ],
    ...['-dash.csv', 'a..b.csv', 'emoji-😀.csv', `quo'te!().csv`, 'amp&<x>.csv', 'sub folder/deep~=@$,;:.CSV', '*.csv'],
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

test('a key of 1,024 bytes lands', async () => {
  const server = await startCeph()
  const folders = `${'é'.repeat(60)}/`.repeat(8)
  const key = `${folders}${'x'.repeat(1024 - Buffer.byteLength(folders) - '/a.csv'.length)}/a.csv`
  assert.equal(Buffer.byteLength(key), 1024)
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, KEY_LAYOUT: key.replace('a.csv', '{file}') })
  assert.equal(code, 0, stderr)
  assert.equal((await server.read(key)).toString(), 'a\n')
})

test('4 shards at once against one bucket that is not there cover every file once', async () => {
  const server = await startCeph()
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`sub/f${index}.csv`, `id\n${index}\n`]))
  const env = { ...server.env, DATA_DIR: makeTempFolder(files), KEY_LAYOUT: 'raw/{file}' }
  const runs = await Promise.all(
    [0, 1, 2, 3].map(share => runProgram({ ...env, SHARDS: '4', JOB_COMPLETION_INDEX: String(share) }, JSON_OUTPUT)),
  )
  for (const { code, stdout } of runs) assert.equal(code, 0, stdout)
  const uploaded = runs.flatMap(({ stdout }) => reportedFiles(stdout).map(({ file }) => file))
  assert.deepEqual(uploaded.sort(), Object.keys(files).sort())
  assert.deepEqual(
    await server.keys(),
    Object.keys(files)
      .map(file => `raw/${file}`)
      .sort(),
  )
  assert.equal(server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv')).length, 40)
})

test('a clock that is an hour off is corrected, small files and large ones', async () => {
  const server = await startCeph()
  for (const hours of [-1, 1]) {
    const clock = makeTempFolder({
      'clock.cjs': `const { now } = Date, off = ${hours} * 3600e3
        globalThis.Date = class extends Date {
          static now() { return now() + off }
          constructor(...given) { super(...(given.length === 0 ? [now() + off] : given)) }
        }`,
    })
    const DATA_DIR = makeTempFolder({ 'a.csv': `${hours}\n`, 'large.csv': randomBytes(9 * MIB) })
    const NODE_OPTIONS = `--require ${join(clock, 'clock.cjs')}`
    const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, NODE_OPTIONS })
    assert.equal(code, 0, stderr)
  }
})

test('MANIFEST is written last, over that of the run before', async () => {
  const server = await startCeph()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'id\n1\n' }), MANIFEST: 'true' }
  for (const outcome of ['uploaded', 'unchanged']) {
    assert.equal((await runProgram(env)).code, 0)
    const manifest = JSON.parse((await server.read('Raw/Local/CSV/_manifests/2024-10-21/manifest.json')).toString())
    assert.equal(manifest.files[0].outcome, outcome)
  }
})

test('a server that obeys If-None-Match is asked once a run, in vain, and not where there are versions', async () => {
  for (const isVersioned of [false, true]) {
    const server = await startCeph()
    await server.createBucket()
    const { BUCKET_NAME: Bucket } = server.env
    if (isVersioned) {
      const VersioningConfiguration = { Status: 'Enabled' } as const
      await server.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
    }
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'b.csv': 'b\n', 'c.csv': 'c\n' })
    const { code, stdout } = await runProgram({ ...server.env, DATA_DIR, ON_CONFLICT: 'keep' }, JSON_OUTPUT)
    assert.equal(code, 0)
    for (const { outcome, warnings } of reportedFiles(stdout)) assert.deepEqual([outcome, warnings], ['uploaded', []])
    const puts = server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv'))
    assert.equal(puts.length, isVersioned ? 3 : 4)
  }
})

const OTHER = Buffer.from('other content\n')
const CONFLICTS = [
  ['overwrite', 0, 'uploaded'],
  ['keep', 0, 'kept'],
  ['fail', 1, 'failed'],
] as const
for (const [rule, expected, outcome] of CONFLICTS) {
  for (const [what, content] of [
    ['small', Buffer.from('a,b\n1,2\n')],
    ['large', randomBytes(9 * MIB)],
  ] as const) {
    const run = async (appears: (request: { method: string; url: string }) => boolean) => {
      const server = await startCeph()
      await server.createBucket()
      const write = () =>
        server.client.send(new PutObjectCommand({ Bucket: server.env.BUCKET_NAME, Key: 'raw/a.csv', Body: OTHER }))
      server.meddle = async seen => {
        if (appears(seen)) {
          await write()
          appears = () => false
        }
        return seen.body
      }
      const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }), KEY_LAYOUT: 'raw/{file}' }
      const { code, stdout } = await runProgram({ ...env, ON_CONFLICT: rule }, JSON_OUTPUT)
      assert.equal(code, expected, stdout)
      const [file] = reportedFiles(stdout)
      assert.equal(file?.outcome, outcome)
      assert.equal(file?.error?.code, rule === 'fail' ? 'conflict' : undefined)
      assert.deepEqual(await server.read('raw/a.csv'), rule === 'overwrite' ? content : OTHER)
      assert.deepEqual(await server.uploads(), [])
      return server
    }
    test(`ON_CONFLICT=${rule}, ${what} file: other content that is there`, async () => {
      const { seen } = await run(({ method }) => method === 'HEAD')
      if (rule !== 'overwrite') assert.ok(!seen.some(({ method }) => method === 'PUT'))
    })
    test(`ON_CONFLICT=${rule}, ${what} file: other content that appears while it is sent`, async () => {
      await run(({ method, url }) => method === 'PUT' && url.includes('a.csv'))
    })
    // 16 completes an upload whatever is there by then.
    if (what === 'small' || !IS_CURRENT) continue
    test(`ON_CONFLICT=${rule}, ${what} file: other content that appears at the moment of its completion`, async () => {
      await run(({ method, url }) => method === 'POST' && url.includes('uploadId='))
    })
  }
}
