/** CSV files of every kind, end to end: told of in `warn`, refused in `strict`, and never changed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CSV_FIXTURES, readAnswers } from '../support/csv-fixtures'
import { runJson, runProgram } from '../support/program'
import { startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const ANSWERS = readAnswers()
const HEAD = 'id,title\n'

const contentOf = (name: string) => readFileSync(join(CSV_FIXTURES, name))
const codesOf = (findings: readonly { readonly code: string }[] = []) => findings.map(({ code }) => code)

const sentObjects = (server: TestServer) =>
  server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv'))

test('warn uploads every file as it is, and the JSON tells its shape, its faults and its notes', async () => {
  const server = await startServer()
  const { code, files } = await runJson({ ...server.env, DATA_DIR: CSV_FIXTURES })
  assert.equal(code, 0)
  const reports = files
  assert.deepEqual(reports.map(({ file }) => file).sort(), Object.keys(ANSWERS).sort())
  for (const { file, key = '', faults, notes, rows, header, columns, delimiter, encoding, lineEnd } of reports) {
    const { faults: rightFaults = [], notes: rightNotes = [], ...rightShape } = ANSWERS[file] ?? {}
    assert.deepEqual({ rows, header, columns, delimiter, encoding, lineEnd }, rightShape, file)
    assert.deepEqual([codesOf(faults), codesOf(notes)], [codesOf(rightFaults), codesOf(rightNotes)], file)
    assert.deepEqual((await server.read(key)).body, contentOf(file))
  }
})

test('strict uploads all files that have no fault, whatever notes they have', async () => {
  const server = await startServer()
  const good = Object.keys(ANSWERS).filter(name => ANSWERS[name]?.faults.length === 0)
  assert.ok(good.some(name => ANSWERS[name]?.notes.length !== 0))
  const DATA_DIR = makeTempFolder(Object.fromEntries(good.map(name => [name, contentOf(name)])))
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, CSV_CHECK: 'strict' })
  assert.equal(code, 0, stderr)
  assert.equal((await server.keys()).length, good.length)
})

for (const [name, { faults }] of Object.entries(ANSWERS).filter(([, answer]) => answer.faults.length > 0)) {
  test(`strict refuses ${name} (${codesOf(faults)}) with exit 5, and sends nothing`, async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'bad.csv': contentOf(name), 'good.csv': `${HEAD}1,Alien\n` })
    const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, CSV_CHECK: 'strict' })
    assert.equal(code, 5)
    assert.match(stderr, /Nothing was uploaded: bad\.csv has CSV faults, and CSV_CHECK is strict\. Fix the file/)
    assert.deepEqual(sentObjects(server), [])
  })
}

test('the text of warn has one line for each fault', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'bad.csv': `${HEAD}1\n2,"Bra"zil"\r\n` })
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 0)
  const warnings = stderr.split('\n').filter(line => line.startsWith('Warning: bad.csv: '))
  assert.equal(warnings.length, 3, stderr)
  for (const [index, says] of [
    /Lines end in different ways/,
    /1 field with a quote/,
    /1 row without the 2/,
  ].entries()) {
    assert.match(warnings[index] ?? '', says)
  }
})

test('off does not look into any file', async () => {
  const server = await startServer()
  const off = await runProgram({
    ...server.env,
    DATA_DIR: makeTempFolder({ 'bad.csv': `${HEAD}1\n` }),
    CSV_CHECK: 'off',
  })
  assert.equal(off.code, 0)
  assert.doesNotMatch(off.stderr, /bad\.csv/)
})

test('what was learnt goes into the JSON and the metadata of the object', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'a.csv': '\ufeffid;título\n1;"Amélie\nPoulain"\n' })
  const { file: report } = await runJson({ ...server.env, DATA_DIR })
  const { rows, columns, delimiter, encoding, header, lineEnd, key, crc32 } = report ?? {}
  assert.deepEqual([rows, columns, delimiter, encoding, header, lineEnd], [1, 2, ';', 'utf-8-bom', true, 'lf'])
  const { Metadata } = (await server.read(String(key))).object
  assert.match(Metadata?.['source-mtime'] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.deepEqual(
    { ...Metadata, 'source-mtime': '' },
    {
      ...{ rows: '1', columns: '2', delimiter: 'semicolon', encoding: 'utf-8-bom', 'line-end': 'lf' },
      ...{ crc32, 'source-mtime': '' },
    },
  )
})

test('UTF-16 is told from UTF-8, its rows are counted, and its bytes land as they are', async () => {
  const server = await startServer()
  const content = Buffer.from('\ufeffid,título\n1,"Amélie\nPoulain"\n', 'utf16le')
  const { stderr, file: report } = await runJson({
    ...server.env,
    DATA_DIR: makeTempFolder({ 'a.csv': content }),
    CSV_CHECK: 'strict',
  })
  assert.deepEqual([report?.rows, report?.columns, report?.encoding, report?.faults], [1, 2, 'utf-16le', []], stderr)
  assert.deepEqual((await server.read(String(report?.key))).body, content)
})

test('a file of 2,000,000 rows with quoted line breaks is described right, in parts as well', async () => {
  const server = await startServer()
  const content = HEAD + '7,"line\nbreak"\n'.repeat(1_999_999)
  const { file: report } = await runJson(
    // With strict the whole file is known before its upload begins, and so is its metadata.
    { ...server.env, DATA_DIR: makeTempFolder({ 'many.csv': content }), CSV_CHECK: 'strict' },
  )
  assert.deepEqual([report?.rows, report?.columns, report?.faults], [1_999_999, 2, []])
  const { Metadata } = (await server.read(String(report?.key))).object
  assert.equal(Metadata?.['rows'], '1999999')
  assert.equal(Metadata?.['crc32'], undefined)
})

for (const [delimiter, name, rows] of [
  ['\t', 'tab', ['id\ttitle', '1\tAlien', '2\tBrazil']],
  ['||', '||', ['id||title', '1||Alien', '2||Brazil']],
  ['\x01', 'U+0001', ['id\x01title', '1\x01Alien', '2\x01Brazil']],
  ['¦', 'U+00A6', ['id¦title', '1¦Alien', '2¦Brazil']],
  // One column has none.
  [null, 'none', ['name', 'Ann', 'Bob']],
] as const) {
  test(`a delimiter ${name} is in the JSON as it is, and in the metadata of the object by this name`, async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': `${rows.join('\n')}\n` })
    const { file: report } = await runJson({ ...server.env, DATA_DIR })
    assert.equal(report?.delimiter, delimiter)
    const { Metadata } = (await server.read(String(report?.key))).object
    assert.equal(Metadata?.['delimiter'], name)
  })
}
