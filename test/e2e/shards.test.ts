/** Many runs for one set of files, and the manifests that they leave, end to end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifest, runJson, runProgram } from '../support/program'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const RUN_DATE = '2024-10-21'
const MANIFEST_KEY = 'Raw/Local/CSV/_manifests/2024-10-21/manifest.json'

test('4 shards against one bucket, at once, land every file once', async () => {
  const server = await startServer()
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`sub/f${index}.csv`, `id\n${index}\n`]))
  const env = { ...server.env, DATA_DIR: makeTempFolder(files), RUN_DATE, MANIFEST: 'true', SHARDS: '4' }
  const runs = await Promise.all([0, 1, 2, 3].map(index => runJson({ ...env, JOB_COMPLETION_INDEX: String(index) })))
  for (const { code, stdout } of runs) assert.equal(code, 0, stdout)
  const uploaded = runs.flatMap(({ files }) => files.map(({ file }) => file))
  assert.deepEqual(uploaded.sort(), Object.keys(files).sort())
  const manifests = [0, 1, 2, 3].map(index => `Raw/Local/CSV/_manifests/2024-10-21/manifest-${index}-of-4.json`)
  const keys = Object.keys(files).map(file => `Raw/Local/CSV/${file.slice(4, -4).toUpperCase()}/2024/10/21/${file}`)
  assert.deepEqual(await server.keys(), [...keys, ...manifests].sort())
})

test('a share without files is exit 0, and asks for nothing but the bucket', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'a\n' }) }
  const runs = await Promise.all(['0/2', '1/2'].map(SHARD => runProgram({ ...env, SHARD })))
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0],
  )
  assert.ok(runs.some(({ stdout }) => /Found 1 CSV file, of which share \d\/2 has 0\./.test(stdout)))
  assert.deepEqual((await server.keys()).length, 1)
})

test('a collision with a file of another share is refused', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'é.csv': 'a\n', 'e\u0301.csv': 'b\n' })
  for (const SHARD of ['0/2', '1/2']) assert.equal((await runProgram({ ...server.env, DATA_DIR, SHARD })).code, 2)
  assert.deepEqual(server.seen, [])
})

test('strict judges the files of the share only', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'bad.csv': 'a,b\n1\n', 'good.csv': 'a,b\n1,2\n', 'fine.csv': 'a,b\n1,2\n' })
  const env = { ...server.env, DATA_DIR, CSV_CHECK: 'strict' }
  const runs = await Promise.all([0, 1, 2, 3].map(index => runProgram({ ...env, SHARD: `${index}/4` })))
  assert.deepEqual(runs.map(({ code }) => code).sort(), [0, 0, 0, 5])
})

test('the manifest holds the summary, and is written over by the next run for the date', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'id\n1\n' }), RUN_DATE, MANIFEST: 'true' }
  for (const outcome of ['uploaded', 'unchanged']) {
    const { code, summary: told } = await runJson(env)
    assert.equal(code, 0)
    const { event: _, time: __, manifest, requests, ...summary } = told
    assert.equal(manifest, MANIFEST_KEY)
    const { body, object } = await server.read(MANIFEST_KEY)
    assert.equal(object.ContentType, 'application/json')
    const written = parseManifest(body)
    assert.deepEqual(written, { ...summary, requests: Number(requests) - 1 })
    assert.equal(written.files[0]?.outcome, outcome)
  }
})

test('a kept file is in it as kept', async () => {
  const server = await startServer()
  const env = { ...server.env, RUN_DATE, MANIFEST: 'true', ON_CONFLICT: 'keep' }
  for (const content of ['id\n1\n', 'id\n2\n'])
    await runProgram({ ...env, DATA_DIR: makeTempFolder({ 'a.csv': content }) })
  const { files, kept } = parseManifest((await server.read(MANIFEST_KEY)).body)
  assert.equal(kept, 1)
  assert.deepEqual(
    files.map(({ file, outcome }) => `${file} ${outcome}`),
    ['a.csv kept'],
  )
})

test('a share without files has one, too: who waits for all of them is not left waiting', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'id\n1\n' }), RUN_DATE, MANIFEST: 'true' }
  for (const SHARD of ['0/2', '1/2']) assert.equal((await runProgram({ ...env, SHARD })).code, 0)
  const keys = [0, 1].map(index => MANIFEST_KEY.replace('.json', `-${index}-of-2.json`))
  const files = await Promise.all(keys.map(async key => parseManifest((await server.read(key)).body).files.length))
  assert.deepEqual(files.sort(), [0, 1])
})

test('hive writes it in lower case', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'id\n1\n' }), RUN_DATE, MANIFEST: 'true' }
  for (const SHARD of [undefined, '0/1']) await runProgram({ ...env, KEY_LAYOUT: 'hive', SHARD })
  const manifests = (await server.keys()).filter(key => key.includes('manifest'))
  const lower = MANIFEST_KEY.toLowerCase()
  assert.deepEqual(manifests, [lower.replace('.json', '-0-of-1.json'), lower])
})

test('where a file failed there is no manifest', async () => {
  const server = await startServer()
  server.meddle = (seen, response) => (seen.url.includes('a.csv') ? refuse(response, 403, 'AccessDenied') : seen.body)
  const env = {
    ...server.env,
    DATA_DIR: makeTempFolder({ 'a.csv': 'a\n', 'b.csv': 'b\n' }),
    RUN_DATE,
    MANIFEST: 'true',
  }
  assert.equal((await runProgram(env)).code, 4)
  assert.deepEqual(await server.keys(), ['Raw/Local/CSV/B/2024/10/21/b.csv'])
})

test('a manifest that cannot be written ends the run with its reason, and the files are reported all the same', async () => {
  const server = await startServer()
  server.meddle = (seen, response) =>
    seen.url.includes('manifest') ? refuse(response, 403, 'AccessDenied') : seen.body
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'a\n' }), RUN_DATE, MANIFEST: 'true' }
  const { code, summary } = await runJson(env)
  assert.equal(code, 4)
  assert.equal(summary['uploaded'], 1)
  assert.equal(summary['manifest'], undefined)
  assert.match(JSON.stringify(summary['error']), /Writing the manifest Raw.* failed: AccessDenied/)
})
