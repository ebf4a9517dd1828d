import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { BucketFailure, FileFailure } from '../../../src/errors'
import { createReport } from '../../../src/report/create-report'
import { type FileReport, type FileRun, reportFile } from '../../../src/report/file-report'
import type { Report } from '../../../src/report/report'
import { type Summary, summarize } from '../../../src/report/summary'
import { createStats } from '../../../src/s3/request'

/** A stream that keeps what is written to it; `screen` is what else it has. */
function collect(screen: Screen) {
  let text = ''
  return {
    write: (more: string) => {
      text += more
    },
    text: () => text,
    ...screen,
  }
}

type Screen = Omit<Parameters<typeof createReport>[1]['out'], 'write'>

interface Options {
  readonly stackTraces?: boolean
  readonly forceColor?: boolean
  readonly out?: Screen
  readonly err?: Screen
}

async function open(json: boolean, { stackTraces = false, forceColor = false, ...screens }: Options = {}) {
  const [out, err] = [collect(screens.out ?? {}), collect(screens.err ?? {})]
  return { report: await createReport({ version: '1.2.3', json, stackTraces, forceColor }, { out, err }), out, err }
}

/** What is written of the end of a run. */
async function write(change: Partial<Summary> = {}, options: Options = {}) {
  const { report, out, err } = await open(false, options)
  await report.summary({ ...SUMMARY, ...change })
  return { out: out.text(), lines: out.text().split('\n'), err: err.text() }
}

const UPLOADED: FileReport = {
  file: 'movies.csv',
  key: 'Raw/Local/CSV/Movies/2024/10/21/movies.csv',
  bytes: 1536,
  crc32: 'cbf43926',
  outcome: 'uploaded',
  etag: 'e',
  seconds: 0.5,
  requests: 1,
  warnings: [],
}
const numbered = (count: number) =>
  Array.from({ length: count }, (_, index): FileReport => ({ ...UPLOADED, file: `f${index}.csv` }))
const UNCHANGED: FileReport = { ...UPLOADED, file: 'sub/series.csv', key: 'Raw/x/sub/series.csv', outcome: 'unchanged' }
const FAILED: FileReport = {
  file: 'gone.csv',
  key: 'Raw/x/gone.csv',
  bytes: 1024,
  outcome: 'failed',
  seconds: 0,
  requests: 0,
  warnings: ['a warning'],
  error: { code: 'unreadable', message: 'gone.csv cannot be read (ENOENT).', advice: 'Keep it.', retryable: false },
}
const SUMMARY: Summary = {
  run: 'an id',
  bucket: 'landing-zone',
  date: '2024-10-21',
  files: [UPLOADED, UNCHANGED, FAILED],
  uploaded: 1,
  unchanged: 1,
  kept: 0,
  failed: 1,
  warnings: [],
  bytesSent: 1536,
  requests: 3,
  seconds: 12.25,
  exitCode: 1,
}

/** A file that was read, or not. */
function runOf(name: string, csv?: FileRun['csv']): FileRun {
  return { file: { path: 'p', name, size: 2048 }, key: name, stats: createStats(), csv }
}

/** What a file with one fault holds. */
function faulty(message: string): FileRun['csv'] {
  return {
    size: 2048,
    digest: { partSize: 1, partCrc32s: [0], partMd5s: [], crc32: 0 },
    shape: {
      ...{ encoding: 'utf-8', delimiter: ',', lineEnd: 'lf', header: true, columns: 2, rows: 3 },
      faults: [{ code: 'ragged_rows', message, line: 2 }],
      notes: [],
    },
  }
}

/** A whole run, with `text` wherever a text can come from outside. */
async function tell(report: Report, text: string): Promise<void> {
  const file = { ...FAILED, file: text, key: text, warnings: [text] }
  const error = { code: 'bug', message: text, advice: text, retryable: false }
  report.found(
    'an id',
    1,
    { files: [{ path: text, name: text, size: 1 }], passedOver: [text], unlisted: [] },
    undefined,
  )
  report.bucket(text, 'created', [text])
  report.watch('Checking', [])
  report.checked([runOf(text, new FileFailure(text, { code: 'unreadable', advice: text })), runOf(text, faulty(text))])
  report.file({ ...file, error })
  report.file({ ...UPLOADED, file: text, key: text, warnings: [text] })
  report.trace(new Error(text))
  await report.summary({ ...SUMMARY, bucket: text, files: [{ ...file, error }], error })
}

describe('json', () => {
  test('every line on out is one event, and nothing goes to err', async () => {
    const { report, out, err } = await open(true)
    await tell(report, 'movies.csv')
    const lines = out.text().split('\n')
    assert.equal(lines.pop(), '', 'the last line is ended')
    const events = lines.map(line => JSON.parse(line).event)
    assert.deepEqual(events, ['found', 'bucket', 'read', 'file', 'file', 'summary'])
    assert.equal(err.text(), '')
  })
  test('a summary is the contract’s: all of it, with the seconds of the whole run', async () => {
    const { report, out, err } = await open(true)
    await report.summary(SUMMARY)
    const { time, version, ...summary } = JSON.parse(out.text())
    assert.deepEqual(summary, { event: 'summary', ...SUMMARY })
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(version, '1.2.3')
    assert.equal(err.text(), '')
  })
  test('what ended a run is in the summary, not on err', async () => {
    const { report, out, err } = await open(true)
    const failure = new BucketFailure('No bucket.', { code: 'bucket', advice: 'Make one.' })
    await report.summary(summarize(undefined, [], { id: 'an id', end: failure }))
    const { error, exitCode } = JSON.parse(out.text())
    assert.deepEqual(error, { code: 'bucket', message: 'No bucket.', advice: 'Make one.', retryable: false })
    assert.equal(exitCode, 4)
    assert.equal(err.text(), '')
  })
  test('while files are sent, how far they are is told every 5 seconds', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { report, out } = await open(true)
    const run = runOf('a.csv')
    run.stats.bytesLanded = 1024
    report.watch('Uploading', [run])
    t.mock.timers.tick(5000)
    const { time: _, version: __, ...event } = JSON.parse(out.text())
    assert.deepEqual(event, {
      ...{ event: 'progress', step: 'Uploading', files: 1, filesDone: 0, bytes: 2048, bytesDone: 1024 },
    })
    await report.summary(SUMMARY)
    t.mock.timers.tick(60_000)
    assert.equal(out.text().match(/progress/g)?.length, 1)
  })
  test('any text is one line, and comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async text => {
        const { report, out } = await open(true)
        report.file({ ...FAILED, file: text })
        assert.match(out.text(), /^[^\n]*\n$/)
        assert.equal(JSON.parse(out.text()).file, text)
      }),
    )
  })
  test('faults are given with the file that has them', async () => {
    const { report, out } = await open(true)
    report.checked([
      runOf('faulty.csv', faulty('Line 2 is short.')),
      runOf('gone.csv', new FileFailure('m', { code: 'unreadable', advice: 'a' })),
    ])
    const fault = { code: 'ragged_rows', message: 'Line 2 is short.', line: 2 }
    const { time: _, version: __, ...event } = JSON.parse(out.text())
    assert.deepEqual(event, {
      ...{ event: 'read', files: 1, bytes: 2048 },
      faulty: [{ file: 'faulty.csv', faults: [fault] }],
    })
  })
  test('a stack trace goes to err, and only where it was asked for', async () => {
    for (const stackTraces of [false, true]) {
      const { report, out, err } = await open(true, { stackTraces })
      report.trace(new Error('why'))
      assert.equal(out.text(), '')
      assert.equal(/why[\s\S]*\n\s+at /.test(err.text()), stackTraces)
    }
  })
})

describe('text', () => {
  test('the table has the outcome and the key of every file, each in a line of its own', async () => {
    const { lines } = await write()
    for (const { file, key, outcome } of SUMMARY.files) {
      const rows = lines.filter(line => line.includes(`s3://landing-zone/${key}`))
      assert.equal(rows.length, 1, file)
      for (const cell of [file, outcome]) assert.ok(rows[0]?.split(/\s{2,}/).includes(cell), `${rows[0]} has ${cell}`)
    }
  })
  const { key: _, ...KEYLESS } = FAILED
  for (const [promise, file, says] of [
    ['the size of a file is in its row', UPLOADED, /^(?=.*movies\.csv).*\s1\.5 KiB\s/m],
    [
      'the rows of a file are in its row where they were counted',
      { ...UPLOADED, rows: 987 },
      /^(?=.*movies\.csv).*\s987\s/m,
    ],
    [
      'a file without a key has a dash in its place',
      { ...KEYLESS, rows: 7, bytes: 1 },
      /^gone\.csv +7 +1 B +- +failed$/m,
    ],
    [
      'an escape sequence in a name leaves nothing behind that makes the name hard to read',
      { ...UPLOADED, file: '\u001b[31mred\u001b[0m.csv' },
      /^red\.csv /m,
    ],
    ['a name in any script is shown as it is', { ...UPLOADED, file: 'séries/映画 🎬.csv' }, /séries\/映画 🎬\.csv/],
  ] as const) {
    test(promise, async () => assert.match((await write({ files: [file] })).out, says))
  }
  test('a fault is a warning on err that names the file', async () => {
    const { report, out, err } = await open(false)
    report.watch('Checking', [])
    report.checked([runOf('faulty.csv', faulty('Line 2 is short.'))])
    assert.match(out.text(), /1 file, 2\.0 KiB/)
    // What was told when all files were checked is not told again when each is sent.
    report.file(reportFile(runOf('faulty.csv', faulty('Line 2 is short.')), { dryRun: false }))
    assert.equal(err.text().match(/Warning: faulty\.csv: Line 2 is short\.\n/g)?.length, 1)
  })
  test('a fault of a file that is checked while it is sent is told when the file is done', async () => {
    const { report, err } = await open(false)
    const run = runOf('faulty.csv', faulty('Line 2 is short.'))
    report.watch('Uploading', [run])
    report.checked([run])
    assert.equal(err.text(), '')
    run.put = { outcome: 'uploaded', etag: undefined, versionId: undefined }
    report.file(reportFile(run, { dryRun: false }))
    assert.equal(err.text(), 'Warning: faulty.csv: Line 2 is short.\n')
  })
  test('what is to be known of the whole run is told once', async () => {
    const { report, err } = await open(false)
    report.bucket('lake', 'found', ['about the run'])
    await report.summary({ ...SUMMARY, warnings: ['about the run'] })
    assert.equal(err.text().match(/Warning: about the run\./g)?.length, 1)
  })
  test('kept files are in the totals where there are any', async () => {
    for (const kept of [0, 3]) {
      const { out } = await write({ kept })
      assert.equal(/3 kept/.test(out), kept === 3)
      assert.equal(/kept/.test(out), kept === 3)
    }
  })
  test('the totals name the bucket, every outcome, the bytes, the requests and the seconds', async () => {
    const counts = { uploaded: 11, unchanged: 22, failed: 33, requests: 44, bytesSent: 55 * 1024, seconds: 6.66 }
    const totals = (await write(counts)).lines.find(line => line.includes('11 uploaded')) ?? ''
    for (const part of ['landing-zone', '22 unchanged', '33 failed', '44 requests', '55.0 KiB', '6.7 s']) {
      assert.ok(totals.includes(part), `${totals} has ${part}`)
    }
  })
  for (const [bytes, shown] of [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [8 * 1024 ** 2, '8.0 MiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
    [1024 ** 4, '1.0 TiB'],
    [48 * 1024 ** 5, '49152.0 TiB'],
  ] as const) {
    test(`${bytes} bytes are shown as ${shown}`, async () => {
      const { out } = await write({ bytesSent: bytes, files: [{ ...UPLOADED, bytes }] })
      assert.ok(out.includes(`  ${shown}  `), out)
      assert.ok(out.includes(`; ${shown} sent`), out)
    })
  }
  test('a failed file says at once what failed and what to do, on err', async () => {
    const { report, out, err } = await open(false)
    report.file(FAILED)
    assert.equal(out.text(), '')
    assert.equal(err.text(), 'Failed: gone.csv cannot be read (ENOENT). Keep it.\n')
  })
  test('a file that landed is in the table only', async () => {
    for (const file of [UPLOADED, UNCHANGED]) {
      const { report, out, err } = await open(false)
      report.file(file)
      assert.equal(`${out.text()}${err.text()}`, '')
    }
  })
  test('of many failures of one kind the first ones are told and the others counted', async () => {
    const { report, err } = await open(false)
    const unreadable = (message: string) => ({ code: 'unreadable', message, advice: 'Keep it.', retryable: false })
    for (let index = 0; index < 2000; index++)
      report.file({ ...FAILED, error: unreadable(`f${index} cannot be read.`) })
    report.file({ ...FAILED, error: { code: 'conflict', message: 'Another.', advice: 'Do.', retryable: false } })
    await report.summary(SUMMARY)
    const lines = err.text().split('\n')
    assert.ok(lines.length < 30, String(lines.length))
    assert.ok(lines.includes('Failed: Another. Do.'))
    assert.ok(lines.includes('Failed: 1980 more files (unreadable).'), err.text())
  })
  test('a failure that many files share is told once, with the number of the others', async () => {
    const { report, err } = await open(false)
    for (let index = 0; index < 30; index++) report.file(FAILED)
    await report.summary({ ...SUMMARY, files: [] })
    assert.equal(err.text().match(/gone\.csv cannot be read/g)?.length, 1)
    assert.match(err.text(), /^Failed: 29 more files \(unreadable\)\.$/m)
  })
  test('what to do is told once for all files that need it, and the last line says how to run it again', async () => {
    const { report, err } = await open(false)
    const files = [FAILED, { ...FAILED, file: 'two.csv' }].map(file => ({ ...file, warnings: [] }))
    const [, two] = files
    report.file(FAILED)
    if (two?.error !== undefined) report.file({ ...two, error: { ...two.error, message: 'two.csv too.' } })
    await report.summary({ ...SUMMARY, files })
    assert.deepEqual(err.text().split('\n'), [
      'Failed: gone.csv cannot be read (ENOENT). Keep it.',
      'Failed: two.csv too.',
      'Next: when that is fixed, start it again with --date 2024-10-21; what has landed is not sent twice.',
      '',
    ])
  })
  test('a run that was stopped says once that it is to be started again', async () => {
    const error = { code: 'interrupted', message: 'SIGINT.', advice: 'Start it again.', retryable: true }
    const { err } = await write({ exitCode: 130, files: [{ ...FAILED, warnings: [], error }] })
    assert.match(err, /^Next: start it again with --date 2024-10-21;.*\n$/)
  })
  test('files with faults are recalled below the table, where the faults themselves are off the screen', async () => {
    const { faults = [] } = reportFile(runOf('f.csv', faulty('Short.')), { dryRun: false })
    const { err } = await write({ files: [UPLOADED, { ...UPLOADED, file: 'faulty.csv', faults }] })
    assert.match(err, /^Warning: 1 file with CSV faults \(faulty\.csv\)\.$/m)
  })
  test('a warning that many files share is told once, with their number', async () => {
    const files = numbered(12).map(file => ({ ...file, warnings: ['not so'] }))
    const { err } = await write({ files: [...files, { ...UPLOADED, warnings: ['alone'] }] })
    assert.match(err, /^Warning: 12 files: not so \(f0\.csv, f1\.csv, f2\.csv and 9 more\)\.$/m)
    assert.match(err, /^Warning: movies\.csv: alone\.$/m)
  })
  test('of many faults the first ones are told and the others counted', async () => {
    const { report, err } = await open(false)
    const faults = [{ code: 'ragged_rows', message: 'Short.' }] as const
    for (let file = 0; file < 25; file += 1) report.file({ ...UPLOADED, file: 'f.csv', faults })
    await report.summary(SUMMARY)
    assert.equal(err.text().match(/f\.csv: Short/g)?.length, 20)
    assert.match(err.text(), /5 more faults; --json lists them all/)
  })
  test('of 2,000 files the table shows 50 of each outcome, and counts the others', async () => {
    const { lines } = await write({ files: [FAILED, ...numbered(2000)] })
    assert.equal(lines.filter(line => line.endsWith('  uploaded')).length, 50)
    assert.ok(lines.includes('… and 1950 more uploaded'))
    assert.ok(lines.findIndex(line => line.endsWith('failed')) > lines.findIndex(line => line.endsWith('uploaded')))
  })
  test('columns line up whatever the width of the characters', async () => {
    const names = ['ascii.csv', '映画.csv', '🎬🎬.csv', 'e\u0301te\u0301.csv']
    const { out, lines } = await write({ files: names.map(file => ({ ...UPLOADED, file })) })
    const rows = lines.filter(line => line.includes('Raw/'))
    const { default: widthOf } = await import('string-width')
    for (const cell of ['Raw/', 'uploaded']) {
      const starts = rows.map(row => widthOf(row.slice(0, row.indexOf(cell))))
      assert.equal(new Set(starts).size, 1, out)
    }
    assert.equal(rows.length, names.length)
  })
  test('the columns are file, rows, size, key and outcome, and numbers end where their column ends', async () => {
    const [few, many] = [
      { ...UPLOADED, rows: 7 },
      { ...UPLOADED, rows: 123_456, bytes: 1 },
    ]
    assert.deepEqual((await write({ files: [few, many] })).lines.slice(1, 4), [
      'FILE          ROWS     SIZE  KEY                                                           OUTCOME',
      'movies.csv       7  1.5 KiB  s3://landing-zone/Raw/Local/CSV/Movies/2024/10/21/movies.csv  uploaded',
      'movies.csv  123456      1 B  s3://landing-zone/Raw/Local/CSV/Movies/2024/10/21/movies.csv  uploaded',
    ])
  })
  test('faults have a column if a file has one', async () => {
    const faults = [{ code: 'ragged_rows', message: 'Short.' }] as const
    const { lines } = await write({ files: [UPLOADED, { ...UPLOADED, file: 'bad.csv', faults }] })
    const [, head, good, bad] = lines
    assert.match(head ?? '', /SIZE {2}FAULTS {2}KEY/)
    assert.match(good ?? '', /KiB {7}- {2}s3:/)
    assert.match(bad ?? '', /KiB {7}1 {2}s3:/)
  })
  test('notes are told in one line a kind, with the number of files', async () => {
    const notes = [{ code: 'empty_rows', message: '2 line breaks in quotes.' }] as const
    const files = ['a.csv', 'b.csv'].map(file => ({ ...UPLOADED, file, notes }))
    const { out, err } = await write({ exitCode: 0, files })
    assert.match(out, /\nNote: a\.csv: 2 line breaks in quotes\. The same of 1 more file\.\n$/)
    assert.equal(err, '')
  })
  test('a name or a key of hundreds of characters has a line of its own, and leaves the other rows as they are', async () => {
    const long = { ...UPLOADED, file: `${'n'.repeat(200)}.csv`, key: 'k'.repeat(300), rows: 7 }
    const { lines } = await write({ files: [{ ...UPLOADED, rows: 7 }, long] })
    assert.deepEqual(lines.slice(2, 6), [
      'movies.csv     7  1.5 KiB  s3://landing-zone/Raw/Local/CSV/Movies/2024/10/21/movies.csv  uploaded',
      long.file,
      `${' '.repeat(15)}7  1.5 KiB  ${' '.repeat(60)}  uploaded`,
      `  s3://landing-zone/${long.key}`,
    ])
  })
  test('on a terminal too narrow for a row, each key has a line of its own, and nothing is cut', async () => {
    for (const [columns, own] of [
      [60, true],
      [200, false],
    ] as const) {
      const { out, lines } = await write({}, { out: { isTTY: true, columns } })
      assert.equal(lines.includes(`  s3://landing-zone/${UPLOADED.key}`), own)
      assert.ok(out.includes(String(UPLOADED.key)))
    }
  })
  test('on a terminal a text is broken between its words, elsewhere it is one line', async () => {
    for (const screen of [{ isTTY: true, columns: 40 }, { isTTY: false }]) {
      const { report, err } = await open(false, { err: screen })
      const error = { code: 'bucket', message: 'word '.repeat(30), advice: 'End.', retryable: false }
      report.file({ ...FAILED, error })
      const lines = stripVTControlCharacters(err.text()).trimEnd().split('\n')
      if (!screen.isTTY) assert.equal(lines.length, 1)
      else for (const line of lines) assert.match(line, /^(?=.{1,40}$)(Failed: )?(word ?)*(End\.)?$/)
    }
  })
  test('colours are for terminals that have them, or where they are forced', async () => {
    const has = async (isTTY: boolean, hasColors: boolean, forceColor: boolean) => {
      const { out } = await write({}, { out: { isTTY, columns: 100, hasColors: () => hasColors }, forceColor })
      return out.includes('\u001b[')
    }
    assert.equal(await has(true, true, false), true)
    assert.equal(await has(true, false, true), false)
    assert.equal(await has(false, true, false), false)
    assert.equal(await has(false, false, true), true)
  })
  test('what ended the run is said on err, with what to do', async () => {
    const { report, out, err } = await open(false)
    const failure = new BucketFailure('No bucket.', { code: 'bucket', advice: 'Make one.' })
    await report.summary(summarize(undefined, [], { id: 'an id', end: failure }))
    assert.match(err.text(), /No bucket\. Make one\.\n$/)
    assert.equal(out.text(), '')
  })
  test('a run that failed prints the --date that repeats it, one that did not does not', async () => {
    for (const exitCode of [0, 1]) {
      const { err } = await write({ exitCode })
      assert.equal(/--date 2024-10-21/.test(err), exitCode === 1)
    }
  })
  test('a run that failed before it had a date prints none', async () => {
    const { report, err } = await open(false)
    await report.summary(summarize(undefined, [], { id: 'an id', end: new Error('why') }))
    assert.doesNotMatch(err.text(), /--date/)
  })
  test('what was passed over is named, of many the first few and the number of the others', async () => {
    const { report, err } = await open(false)
    const passedOver = Array.from({ length: 25 }, (_, index) => `f${index}.txt (not .csv)`)
    report.found('an id', 0, { files: [], passedOver, unlisted: [] }, undefined)
    assert.match(err.text(), /f0\.txt.*f9\.txt.* 15 more/)
    assert.doesNotMatch(err.text(), /f10\.txt/)
  })
  test('what waits is told: a retry with its reason, or the server', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { report, err } = await open(false)
    report.watch('Uploading', [runOf('a.csv')])
    report.retry({ reason: 'SlowDown', status: 503, attempt: 4, attempts: 7, seconds: 8 })
    t.mock.timers.tick(5000)
    assert.match(err.text(), /^Uploading: .*; 503 SlowDown, attempt 4 of 7, next in 8 s\n$/)
    await report.summary(SUMMARY)
  })
  test('while the bucket does not answer, a log says so every 5 seconds, and no longer', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { report, err } = await open(false)
    report.found('an id', 1, { files: [], passedOver: [], unlisted: [] }, undefined)
    t.mock.timers.tick(4999)
    assert.equal(err.text(), '')
    t.mock.timers.tick(5001)
    assert.match(err.text(), /^(Waiting for the bucket: \d+ s\n){2}$/)
    report.bucket('landing-zone', 'found', [])
    t.mock.timers.tick(60_000)
    assert.equal(err.text().split('\n').length, 3)
  })
  test('a bucket that was created is told from one that was there', async () => {
    const told = await Promise.all(
      (['created', 'found'] as const).map(async outcome => {
        const { report, out } = await open(false)
        report.bucket('landing-zone', outcome, [])
        return out.text()
      }),
    )
    assert.match(told[0] ?? '', /created.*landing-zone/i)
    assert.doesNotMatch(told[1] ?? '', /created/i)
  })

  const evil = [
    ['an ANSI colour', '\u001b[31mred\u001b[0m.csv'],
    ['a cleared screen', 'a\u001b[2J\u001b[H.csv'],
    ['a window title', 'a\u001b]0;title\u0007.csv'],
    ['a one-byte escape', 'a\u009b31m.csv'],
    ['a line break', 'a\nUploaded: all.csv'],
    ['a carriage return', 'a.csv\rb'],
    ['a backspace', 'a\b\b.csv'],
    ['a nested escape', '\u001b[\u001b[31m31mred'],
    ['a reversed direction', 'a\u202evsc.exe'],
    ['a line separator', 'a\u2028b\u2029c'],
  ] as const
  for (const [what, text] of evil) {
    test(`${what} from a name or a message does not reach the terminal`, async () => {
      const { report, out, err } = await open(false, { stackTraces: true })
      await tell(report, text)
      const plain = await open(false, { stackTraces: true })
      await tell(plain.report, 'plain')
      for (const [written, usual] of [
        [out.text(), plain.out.text()],
        [err.text(), plain.err.text()],
      ] as const) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        assert.doesNotMatch(written, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/)
        // A trace has lines of its own.
        if (usual === plain.out.text()) assert.equal(written.split('\n').length, usual.split('\n').length)
      }
    })
  }
  test('no text from outside brings a control character to the terminal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async text => {
        const { report, out, err } = await open(false)
        await tell(report, text)
        assert.doesNotMatch(`${out.text()}${err.text()}`.replaceAll('\n', ''), /\p{Cc}|\p{Bidi_Control}/u)
      }),
    )
  })
})
