/** Broken files, end to end: told of in `warn`, refused in `strict`, and never changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { assertNoFaults } from '../../../src/csv/check-csv'
import type { CsvContent } from '../../../src/csv/read-csv'
import { CsvFailure, InterruptedFailure } from '../../../src/errors'
import { reportedFiles, runProgram } from '../../support/program'
import { startServer, type TestServer } from '../../support/s3-server'
import { makeTempFolder } from '../../support/temp-folder'

const HEAD = 'id,title\n'
const ROWS = '1,Alien\n2,Brazil\n'

/** By the code of the fault: a file that has it, and what a person reads. */
const FAULTY: Readonly<Record<string, readonly [content: string | Buffer, says: RegExp]>> = {
  empty: ['', /The file is empty/],
  binary: [gzipSync(HEAD + ROWS), /Not CSV at all: this is a gzip file/],
  header_only: [HEAD, /There is a header but no data/],
  duplicate_header: [`id,title,id\n1,Alien,1\n`, /1 column name more than once: "id"/],
  blank_header: [`id,,year\n1,Alien,1979\n`, /1 column without a name: 2/],
  ragged_rows: [`${HEAD}1\n${ROWS}3,a,b\n`, /2 rows without the 2 fields of the first: line 2 has 1, line 5 has 3/],
  cut_off: [`id,title,year\n1,Alien,1979\n2,Bra`, /The last row \(line 3\) is cut off: 2 of 3 fields/],
  unclosed_quote: [`${HEAD}1,"Alien\n${ROWS}`, /The quote opened in line 2 is never closed/],
  stray_quote: [`${HEAD}1,Alien "3"\n${ROWS}`, /1 field with a quote inside unquoted text.*the first in line 2/],
  nul_bytes: [`${HEAD}1,Al\0ien\n${ROWS}`, /1 NUL byte, the first in line 2/],
  invalid_utf8: [Buffer.from(`${HEAD}1,Amélie\n`, 'latin1'), /Byte 13 \(line 2\) is not UTF-8/],
  mixed_line_ends: [`${HEAD}1,Alien\r\n2,Brazil\n`, /Lines end in different ways: LF and CRLF/],
}

const sentObjects = (server: TestServer) =>
  server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv'))

test('warn uploads every broken file as it is, and the summary names its fault', async () => {
  const server = await startServer()
  const files = Object.fromEntries(Object.entries(FAULTY).map(([code, [content]]) => [`${code}.csv`, content]))
  const { code, stdout } = await runProgram({ ...server.env, DATA_DIR: makeTempFolder(files) }, { args: ['--json'] })
  assert.equal(code, 0)
  const reports = reportedFiles(stdout)
  assert.equal(reports.length, Object.keys(FAULTY).length)
  for (const { file, key = '', faults = [] } of reports) {
    assert.ok(
      faults.some(fault => `${fault.code}.csv` === file),
      `${file}: ${JSON.stringify(faults)}`,
    )
    assert.deepEqual((await server.read(key)).body, Buffer.from(files[file] ?? 'missing'))
  }
})

for (const [fault, [content, says]] of Object.entries(FAULTY)) {
  test(`${fault}: one clear line in warn, exit 5 and nothing sent in strict`, async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'bad.csv': content, 'good.csv': HEAD + ROWS })
    const strict = await runProgram({ ...server.env, DATA_DIR, CSV_CHECK: 'strict' })
    assert.equal(strict.code, 5)
    assert.match(
      strict.stderr,
      /CSV_CHECK is strict, and bad\.csv of 2 files have faults: nothing was sent\. Mend the files/,
    )
    assert.deepEqual(sentObjects(server), [])
    const warn = await runProgram({ ...server.env, DATA_DIR })
    assert.equal(warn.code, 0)
    assert.match(warn.stderr.split('\n').find(line => line.startsWith('Warning: bad.csv: ')) ?? '', says)
  })
}

test('strict uploads files without a fault, and off does not look into any', async () => {
  const server = await startServer()
  const good = await runProgram({
    ...server.env,
    DATA_DIR: makeTempFolder({ 'good.csv': HEAD + ROWS }),
    CSV_CHECK: 'strict',
  })
  assert.equal(good.code, 0)
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
  const { stdout } = await runProgram({ ...server.env, DATA_DIR }, { args: ['--json'] })
  const [report] = reportedFiles(stdout)
  const { rows, columns, delimiter, encoding, header, key, crc32 } = report ?? {}
  assert.deepEqual([rows, columns, delimiter, encoding, header], [2, 2, ';', 'utf-8-bom', true])
  const { Metadata } = (await server.read(String(key))).object
  assert.match(Metadata?.['source-mtime'] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  assert.deepEqual(
    { ...Metadata, 'source-mtime': '' },
    { rows: '2', columns: '2', delimiter: 'semicolon', encoding: 'utf-8-bom', crc32, 'source-mtime': '' },
  )
})

test('UTF-16 is told from UTF-8, its rows are counted, and its bytes land as they are', async () => {
  const server = await startServer()
  const content = Buffer.from('\ufeffid,título\n1,"Amélie\nPoulain"\n', 'utf16le')
  const { stdout, stderr } = await runProgram(
    { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }), CSV_CHECK: 'strict' },
    { args: ['--json'] },
  )
  const [report] = reportedFiles(stdout)
  assert.deepEqual([report?.rows, report?.columns, report?.encoding, report?.faults], [2, 2, 'utf-16le', []], stderr)
  assert.deepEqual((await server.read(String(report?.key))).body, content)
})

test('a file of 2,000,000 rows with quoted line breaks is described right, in parts as well', async () => {
  const server = await startServer()
  const content = HEAD + '7,"line\nbreak"\n'.repeat(1_999_999)
  const { stdout } = await runProgram(
    { ...server.env, DATA_DIR: makeTempFolder({ 'many.csv': content }), CSV_CHECK: 'strict' },
    { args: ['--json'] },
  )
  const [report] = reportedFiles(stdout)
  assert.deepEqual([report?.rows, report?.columns, report?.faults], [2_000_000, 2, []])
  const { Metadata } = (await server.read(String(report?.key))).object
  assert.equal(Metadata?.['rows'], '2000000')
  assert.equal(Metadata?.['crc32'], undefined)
})

test('a run that was told to stop while it read is not refused for a fault: the signal is its end', () => {
  const shape = { faults: [{ code: 'empty', message: 'The file is empty' }] }
  const faulty = { shape } as unknown as CsvContent
  const read = [{ file: { name: 'a.csv' }, csv: faulty }]
  assert.throws(() => assertNoFaults('strict', read), CsvFailure)
  assertNoFaults('strict', [...read, { file: { name: 'b.csv' }, csv: new InterruptedFailure('SIGINT') }])
})
