import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CsvFile } from '../src/csv-file'
import { BucketFailure, FileFailure } from '../src/errors'
import { createReport, type Report } from '../src/report'
import { type FileReport, type Summary, summarizeEnd } from '../src/summary'

/** A stream that keeps what is written to it. */
function collect() {
  let text = ''
  return {
    write: (more: string) => {
      text += more
    },
    text: () => text,
  }
}

function open(json: boolean, stackTraces = false) {
  const out = collect()
  const err = collect()
  return { report: createReport({ json, stackTraces }, { out, err }), out, err }
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
const UNCHANGED: FileReport = { ...UPLOADED, file: 'sub/series.csv', key: 'Raw/x/sub/series.csv', outcome: 'unchanged' }
const FAILED: FileReport = {
  file: 'gone.csv',
  key: 'Raw/x/gone.csv',
  outcome: 'failed',
  seconds: 0,
  requests: 0,
  warnings: ['a warning'],
  error: { code: 'unreadable', message: 'gone.csv cannot be read (ENOENT).', advice: 'Keep it.', retryable: false },
}
const SUMMARY: Summary = {
  bucket: 'landing-zone',
  date: '2024-10-21',
  files: [UPLOADED, UNCHANGED, FAILED],
  uploaded: 1,
  unchanged: 1,
  kept: 0,
  failed: 1,
  bytesSent: 1536,
  requests: 3,
  exitCode: 1,
}

/** A file that was read, with one fault. */
function faulty(message: string): CsvFile {
  return {
    ...{ path: 'p', name: 'faulty.csv', partSize: 1, size: 2048, partCrc32s: [0], crc32: 0 },
    stamp: { size: 0n, mtimeNs: 0n, ino: 0n },
    shape: {
      ...{ encoding: 'utf-8', delimiter: ',', lineEnd: 'lf', header: true, columns: 2, rows: 3 },
      faults: [{ code: 'ragged_rows', message, line: 2 }],
    },
  }
}

/** A whole run, with `text` wherever a text can come from outside. */
function tell(report: Report, text: string): void {
  const file = { ...FAILED, file: text, key: text, warnings: [text] }
  const error = { code: 'bug', message: text, advice: text, retryable: false }
  report.found({ files: [{ path: text, name: text, partSize: 1 }], passedOver: [text] })
  report.bucket(text, true, [text])
  report.read([
    { name: text, csv: new FileFailure(text, { code: 'unreadable', advice: text }) },
    { name: text, csv: faulty(text) },
  ])
  report.file({ ...file, error })
  report.file({ ...UPLOADED, file: text, key: text, warnings: [text] })
  report.trace(new Error(text))
  report.summary({ ...SUMMARY, bucket: text, files: [{ ...file, error }], error }, 1)
}

describe('json', () => {
  test('every line on out is one event, and nothing goes to err', () => {
    const { report, out, err } = open(true)
    tell(report, 'movies.csv')
    const lines = out.text().split('\n')
    assert.equal(lines.pop(), '', 'the last line is ended')
    const events = lines.map(line => JSON.parse(line).event)
    assert.deepEqual(events, ['found', 'bucket', 'read', 'file', 'file', 'summary'])
    assert.equal(err.text(), '')
  })
  test('a summary is the contract’s: all of it, with the seconds of the whole run', () => {
    const { report, out, err } = open(true)
    report.summary(SUMMARY, 12.25)
    assert.deepEqual(JSON.parse(out.text()), { event: 'summary', ...SUMMARY, seconds: 12.25 })
    assert.equal(err.text(), '')
  })
  test('what ended a run is in the summary, not on err', () => {
    const { report, out, err } = open(true)
    const failure = new BucketFailure('No bucket.', { code: 'bucket', advice: 'Make one.' })
    report.summary(summarizeEnd(failure, undefined), 1)
    const { error, exitCode } = JSON.parse(out.text())
    assert.deepEqual(error, { code: 'bucket', message: 'No bucket.', advice: 'Make one.', retryable: false })
    assert.equal(exitCode, 4)
    assert.equal(err.text(), '')
  })
  test('any text is one line, and comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const { report, out } = open(true)
        report.file({ ...FAILED, file: text })
        assert.match(out.text(), /^[^\n]*\n$/)
        assert.equal(JSON.parse(out.text()).file, text)
      }),
    )
  })
  test('faults are given with the file that has them', () => {
    const { report, out } = open(true)
    report.read([
      { name: 'faulty.csv', csv: faulty('Line 2 is short.') },
      { name: 'gone.csv', csv: new FileFailure('m', { code: 'unreadable', advice: 'a' }) },
    ])
    const fault = { code: 'ragged_rows', message: 'Line 2 is short.', line: 2 }
    assert.deepEqual(JSON.parse(out.text()), {
      ...{ event: 'read', files: 1, bytes: 2048 },
      faulty: [{ file: 'faulty.csv', faults: [fault] }],
    })
  })
  test('a stack trace goes to err, and only where it was asked for', () => {
    for (const stackTraces of [false, true]) {
      const { report, out, err } = open(true, stackTraces)
      report.trace(new Error('why'))
      assert.equal(out.text(), '')
      assert.equal(/why[\s\S]*\n\s+at /.test(err.text()), stackTraces)
    }
  })
})

describe('text', () => {
  test('the table has the outcome and the key of every file, each in a line of its own', () => {
    const { report, out } = open(false)
    report.summary(SUMMARY, 2)
    const lines = out.text().split('\n')
    for (const { file, key, outcome } of SUMMARY.files) {
      const rows = lines.filter(line => line.includes(` ${key}`) || line.startsWith(String(key)))
      assert.equal(rows.length, 1, file)
      for (const cell of [file, outcome]) assert.ok(rows[0]?.split(/\s{2,}/).includes(cell), `${rows[0]} has ${cell}`)
    }
  })
  test('the size of a file is in its row, and a dash where it is not known', () => {
    const { report, out } = open(false)
    report.summary(SUMMARY, 2)
    const rowOf = (name: string) =>
      out
        .text()
        .split('\n')
        .find(line => line.includes(name))
    assert.match(rowOf('movies.csv') ?? '', /1\.5 KiB/)
    assert.match(rowOf('gone.csv') ?? '', /(^|\s)-(\s|$)/)
  })
  test('the rows of a file are in its row where they were counted', () => {
    const { report, out } = open(false)
    report.summary({ ...SUMMARY, files: [{ ...UPLOADED, rows: 987 }] }, 2)
    assert.match(out.text(), /^(?=.*movies\.csv).*\s987\s/m)
  })
  test('a fault is a warning on err that names the file', () => {
    const { report, out, err } = open(false)
    report.read([{ name: 'faulty.csv', csv: faulty('Line 2 is short.') }])
    assert.match(out.text(), /1 file, 2\.0 KiB/)
    assert.equal(err.text(), 'Warning: faulty.csv: Line 2 is short.\n')
  })
  test('kept files are in the totals where there are any', () => {
    for (const kept of [0, 3]) {
      const { report, out } = open(false)
      report.summary({ ...SUMMARY, kept }, 1)
      assert.equal(/3 kept/.test(out.text()), kept === 3)
      assert.equal(/kept/.test(out.text()), kept === 3)
    }
  })
  test('a file without a key has a dash in its place', () => {
    const { report, out } = open(false)
    const { key: _, ...keyless } = FAILED
    report.summary({ ...SUMMARY, files: [{ ...keyless, bytes: 1 }] }, 2)
    assert.match(out.text(), /^(?=.*gone\.csv)(?=.*failed).*(^|\s)-(\s|$)/m)
  })
  test('the totals name the bucket, every outcome, the bytes, the requests and the seconds', () => {
    const { report, out } = open(false)
    report.summary({ ...SUMMARY, uploaded: 11, unchanged: 22, failed: 33, requests: 44, bytesSent: 55 * 1024 }, 6.66)
    const totals =
      out
        .text()
        .split('\n')
        .find(line => line.includes('11 uploaded')) ?? ''
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
    test(`${bytes} bytes are shown as ${shown}`, () => {
      const { report, out } = open(false)
      report.summary({ ...SUMMARY, bytesSent: bytes, files: [{ ...UPLOADED, bytes }] }, 1)
      assert.ok(out.text().includes(`  ${shown}  `), out.text())
      assert.ok(out.text().includes(`; ${shown} sent`), out.text())
    })
  }
  test('a failed file says what failed and what to do, on err', () => {
    const { report, out, err } = open(false)
    report.file(FAILED)
    assert.equal(out.text(), '')
    assert.match(err.text(), /gone\.csv: a warning/)
    assert.match(err.text(), /gone\.csv cannot be read \(ENOENT\)\. Keep it\.\n$/)
  })
  test('a file that landed is named on out, with its outcome', () => {
    for (const file of [UPLOADED, UNCHANGED]) {
      const { report, out, err } = open(false)
      report.file(file)
      assert.match(out.text(), new RegExp(`^${file.outcome}.*${file.file}\n$`, 'i'))
      assert.equal(err.text(), '')
    }
  })
  test('what ended the run is said on err, with what to do', () => {
    const { report, out, err } = open(false)
    const failure = new BucketFailure('No bucket.', { code: 'bucket', advice: 'Make one.' })
    report.summary(summarizeEnd(failure, undefined), 1)
    assert.match(err.text(), /No bucket\. Make one\.\n$/)
    assert.equal(out.text(), '')
  })
  test('a run that failed prints the --date that repeats it, one that did not does not', () => {
    for (const exitCode of [0, 1]) {
      const { report, err } = open(false)
      report.summary({ ...SUMMARY, exitCode }, 1)
      assert.equal(/--date 2024-10-21/.test(err.text()), exitCode === 1)
    }
  })
  test('a run that failed before it had a date prints none', () => {
    const { report, err } = open(false)
    report.summary(summarizeEnd(new Error('why'), undefined), 1)
    assert.doesNotMatch(err.text(), /--date/)
  })
  test('what was passed over is named, of many the first few and the number of the others', () => {
    const { report, err } = open(false)
    report.found({ files: [], passedOver: Array.from({ length: 25 }, (_, index) => `f${index}.txt (not .csv)`) })
    assert.match(err.text(), /f0\.txt.*f9\.txt.* 15 more/)
    assert.doesNotMatch(err.text(), /f10\.txt/)
  })
  test('a bucket that was created is told from one that was there', () => {
    const told = [true, false].map(created => {
      const { report, out } = open(false)
      report.bucket('landing-zone', created, [])
      return out.text()
    })
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
    test(`${what} from a name or a message does not reach the terminal`, () => {
      const { report, out, err } = open(false, true)
      tell(report, text)
      const plain = open(false, true)
      tell(plain.report, 'plain')
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
  test('an escape sequence in a name leaves nothing behind that makes the name hard to read', () => {
    const { report, out } = open(false)
    report.file({ ...UPLOADED, file: '\u001b[31mred\u001b[0m.csv' })
    assert.match(out.text(), / red\.csv\n$/)
  })
  test('no text from outside brings a control character to the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const { report, out, err } = open(false)
        tell(report, text)
        assert.doesNotMatch(`${out.text()}${err.text()}`.replaceAll('\n', ''), /\p{Cc}|\p{Bidi_Control}/u)
      }),
    )
  })
  test('a name in any script is shown as it is', () => {
    const { report, out } = open(false)
    report.file({ ...UPLOADED, file: 'séries/映画 🎬.csv' })
    assert.match(out.text(), /séries\/映画 🎬\.csv/)
  })
})
