/** What a person or a program sees of a run. */
import type { CsvFile } from './csv-file'
import type { Failure } from './errors'
import type { Found } from './find-csv'
import { escapeControls, printable } from './printable'
import type { CsvFault } from './scan/csv-shape'
import type { FileReport, Summary } from './summary'

export interface Report {
  found(found: Found): void
  bucket(name: string, created: boolean, warnings: readonly string[]): void
  read(entries: readonly ReadEntry[]): void
  file(report: FileReport): void
  /** The last word; `seconds` since the process began. */
  summary(summary: Summary, seconds: number): void
  /** The stack of what ended the run, for those who asked for it. */
  trace(error: unknown): void
}

/** One long name does not push every other line's key off the screen. */
const WIDEST_PADDED_COLUMN = 40

interface ReadEntry {
  readonly name: string
  readonly csv: CsvFile | Failure
}

interface Output {
  readonly json: boolean
  readonly stackTraces: boolean
}

interface Streams {
  readonly out: { write(text: string): unknown }
  readonly err: { write(text: string): unknown }
}

/** In `json`, only events go to `out`; in text, only warnings and failures go to `err`. */
export function createReport({ json, stackTraces }: Output, { out, err }: Streams): Report {
  const say = (text: string) => out.write(`${printable(text)}\n`)
  const complain = (text: string) => err.write(`${printable(text)}\n`)
  const emit = (event: string, data: object) => out.write(`${escapeControls(JSON.stringify({ event, ...data }))}\n`)
  const trace = (error: unknown) => {
    if (stackTraces && error instanceof Error) for (const line of (error.stack ?? '').split('\n')) complain(line)
  }
  return json ? reportEvents(emit, trace) : reportText(say, complain, trace)
}

type Trace = Report['trace']

function reportEvents(emit: (event: string, data: object) => void, trace: Trace): Report {
  return {
    found: ({ files, passedOver }) => emit('found', { files: files.length, passedOver }),
    bucket: (bucket, created, warnings) => emit('bucket', { bucket, created, warnings }),
    read: entries => {
      const faults = entries.map(({ name, csv }) => ({ file: name, faults: listFaults(csv) }))
      emit('read', { ...sumRead(entries), faulty: faults.filter(({ faults }) => faults.length > 0) })
    },
    file: report => emit('file', report),
    summary: (summary, seconds) => emit('summary', { ...summary, seconds }),
    trace,
  }
}

function reportText(say: (text: string) => void, complain: (text: string) => void, trace: Trace): Report {
  const warn = (text: string) => complain(`Warning: ${text.replace(/\.$/, '')}.`)
  return {
    found: ({ files, passedOver }) => {
      say(`Found ${count(files.length, 'CSV file')}.`)
      if (passedOver.length > 0) warn(`passed over ${list(passedOver)}`)
    },
    bucket: (name, created, warnings) => {
      say(created ? `Created the bucket ${name}.` : `Using the bucket ${name}.`)
      warnings.forEach(warn)
    },
    read: entries => {
      const { files, bytes } = sumRead(entries)
      say(`Read ${count(files, 'file')}, ${formatBytes(bytes)}.`)
      for (const { name, csv } of entries) for (const { message } of listFaults(csv)) warn(`${name}: ${message}`)
    },
    file: ({ file, outcome, warnings, error }) => {
      for (const warning of warnings) warn(`${file}: ${warning}`)
      if (error !== undefined) complain(`Failed: ${error.message} ${error.advice}`)
      else say(`${outcome}: ${file}`)
    },
    summary: (summary, seconds) => {
      if (summary.error !== undefined) complain(`Failed: ${summary.error.message} ${summary.error.advice}`)
      if (summary.files.length > 0)
        for (const line of ['', ...drawTable(summary.files), '', drawTotals(summary, seconds)]) say(line)
      if (summary.exitCode !== 0 && summary.date !== undefined) complain(`To repeat this run: --date ${summary.date}`)
    },
    trace,
  }
}

function listFaults(csv: CsvFile | Failure): readonly CsvFault[] {
  return ('shape' in csv ? csv.shape?.faults : undefined) ?? []
}

function sumRead(entries: readonly ReadEntry[]): { files: number; bytes: number } {
  const sizes = entries.flatMap(({ csv }) => ('size' in csv ? [csv.size] : []))
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** The key comes last: it is the longest, and what stands behind it would move. */
function drawTable(files: readonly FileReport[]): string[] {
  const rows = files.map(({ file, rows, bytes, key, outcome }) => [
    outcome,
    rows === undefined ? '-' : String(rows),
    bytes === undefined ? '-' : formatBytes(bytes),
    file,
    key ?? '-',
  ])
  const table = [['OUTCOME', 'ROWS', 'SIZE', 'FILE', 'KEY'], ...rows].map(row => row.map(printable))
  const widths = [0, 1, 2, 3].map(column => Math.max(...table.map(row => row[column]?.length ?? 0)))
  return table.map(row =>
    row.map((cell, column) => cell.padEnd(Math.min(widths[column] ?? 0, WIDEST_PADDED_COLUMN))).join('  '),
  )
}

function drawTotals(
  { bucket, uploaded, unchanged, kept, failed, bytesSent, requests }: Summary,
  seconds: number,
): string {
  return `${bucket}: ${uploaded} uploaded, ${unchanged} unchanged, ${kept === 0 ? '' : `${kept} kept, `}${failed} failed; ${formatBytes(bytesSent)} sent in ${requests} requests, ${seconds.toFixed(1)} s.`
}

/** The first few of many, for one line. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
