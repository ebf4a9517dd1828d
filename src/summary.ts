/** What became of a run: the last event of the JSON output, and the table at the end of the text. */

import { toHex } from './checksum'
import type { CsvFile } from './csv-file'
import { exitCodeOf, Failure } from './errors'
import type { Put } from './put-object'
import type { Tally } from './s3-request'
import type { CsvFault } from './scan/csv-shape'

/** What of the configuration is worth repeating. */
interface Run {
  readonly bucket: string
  readonly runDate: string
}

interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly advice: string
  readonly retryable: boolean
}

export interface FileReport {
  readonly file: string
  readonly key?: string
  /** Unknown where the file could not be read. */
  readonly bytes?: number
  /** Records as RFC 4180 has them, a header among them. */
  readonly rows?: number
  /** Fields of the first record. */
  readonly columns?: number
  readonly delimiter?: string
  readonly encoding?: string
  /** Whether the first record looks like a header. */
  readonly header?: boolean
  readonly faults?: readonly CsvFault[]
  /** Eight hexadecimal digits. */
  readonly crc32?: string
  readonly outcome: 'uploaded' | 'unchanged' | 'kept' | 'failed'
  readonly etag?: string
  readonly versionId?: string
  readonly seconds: number
  readonly requests: number
  readonly warnings: readonly string[]
  readonly error?: ErrorReport
}

export interface Summary {
  readonly bucket?: string
  /** The `--date` that repeats the run. */
  readonly date?: string
  readonly files: readonly FileReport[]
  readonly uploaded: number
  readonly unchanged: number
  readonly kept: number
  readonly failed: number
  readonly bytesSent: number
  readonly requests: number
  readonly exitCode: number
  /** What ended the run before its files were looked at. */
  readonly error?: ErrorReport
}

/** One file's way through the steps: each holds what the step gave, or why there is nothing. */
export interface Passage {
  readonly name: string
  readonly csv: CsvFile | Failure
  readonly key: string | Failure
  readonly put: Put | Failure
  readonly tally: Tally
  readonly seconds: number
}

export function reportFile({ name, csv, key, put, tally, seconds }: Passage): FileReport {
  return {
    file: name,
    ...(key instanceof Failure ? {} : { key }),
    ...(csv instanceof Failure ? {} : describeCsv(csv)),
    ...(put instanceof Failure
      ? { outcome: 'failed', error: reportError(put) }
      : {
          outcome: put.outcome,
          ...(put.etag === undefined ? {} : { etag: put.etag }),
          ...(put.versionId === undefined ? {} : { versionId: put.versionId }),
        }),
    seconds,
    requests: tally.requests,
    warnings: tally.warnings,
  }
}

function describeCsv({ size, crc32, shape }: CsvFile) {
  const known = { bytes: size, crc32: toHex(crc32) }
  if (shape === undefined) return known
  const { rows, columns, delimiter, encoding, header, faults } = shape
  return { ...known, rows, columns, delimiter, encoding, header, faults }
}

/** @param shared what the steps that serve all files came to */
export function summarize(run: Run, passages: readonly Passage[], shared: Tally): Summary {
  const puts = passages.map(passage => passage.put)
  const failures = puts.filter(put => put instanceof Failure)
  const count = (outcome: Put['outcome']) =>
    puts.filter(put => !(put instanceof Failure) && put.outcome === outcome).length
  const tallies = [shared, ...passages.map(passage => passage.tally)]
  const total = (counter: 'requests' | 'bytesSent') => tallies.reduce((sum, tally) => sum + tally[counter], 0)
  return {
    bucket: run.bucket,
    date: run.runDate,
    files: passages.map(reportFile),
    uploaded: count('uploaded'),
    unchanged: count('unchanged'),
    kept: count('kept'),
    failed: failures.length,
    bytesSent: total('bytesSent'),
    requests: total('requests'),
    exitCode: exitCodeOf(failures),
  }
}

/** The summary of a run that ended before its files were looked at, and perhaps before it was configured. */
export function summarizeEnd(error: unknown, run: Run | undefined): Summary {
  return {
    ...(run === undefined ? {} : { bucket: run.bucket, date: run.runDate }),
    files: [],
    uploaded: 0,
    unchanged: 0,
    kept: 0,
    failed: 0,
    bytesSent: 0,
    requests: 0,
    exitCode: error instanceof Failure ? error.exitCode : 1,
    error: reportError(error),
  }
}

function reportError(error: unknown): ErrorReport {
  if (error instanceof Failure) {
    const { code, message, advice, retryable } = error
    return { code, message, advice, retryable }
  }
  const message = error instanceof Error ? error.message : String(error)
  const advice = 'This is a fault of the program: report it, with what DEBUG=1 prints.'
  return { code: 'bug', message, advice, retryable: false }
}
