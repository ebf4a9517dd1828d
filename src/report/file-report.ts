/** One file from the beginning to the end of a run, and what the JSON output has of it. */
import type { FoundCsv } from '../csv/csv-file'
import type { CsvContent } from '../csv/read-csv'
import type { CsvFault, CsvNote } from '../csv/scan/shape'
import { Failure, type S3Answer } from '../errors'
import { toHex } from '../lib/crc32'
import type { Stats } from '../s3/request'
import type { Put, Rules } from '../upload/delivery'

/** Filled in step by step. */
export interface FileRun {
  readonly file: FoundCsv
  readonly key: string | Failure
  readonly stats: Stats
  /** As `performance.now()` had it when the program turned to the file. */
  begun?: number
  /** What the file holds, if it was read to its end, or why it could not be. */
  csv?: CsvContent | Failure | undefined
  put?: Put | Failure
  seconds?: number
}

export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly advice: string
  readonly retryable: boolean
  readonly s3?: S3Answer
}

export interface FileReport {
  readonly file: string
  readonly key?: string
  readonly bytes: number
  /** Data rows: records as RFC 4180 has them, without the header. */
  readonly rows?: number
  /** Fields of the first record. */
  readonly columns?: number
  /** `null` if there is one column, with nothing to delimit. */
  readonly delimiter?: string | null
  readonly encoding?: string
  /** Whether the first record looks like a header. */
  readonly header?: boolean
  /** Line breaks between records: `lf`, `crlf`, `cr`, `mixed` or `none`. */
  readonly lineEnd?: string
  readonly faults?: readonly CsvFault[]
  readonly notes?: readonly CsvNote[]
  /** Eight hexadecimal digits. */
  readonly crc32?: string
  readonly outcome: Put['outcome'] | 'failed' | 'would-fail'
  readonly etag?: string
  readonly versionId?: string
  readonly seconds: number
  readonly requests: number
  readonly warnings: readonly string[]
  readonly error?: ErrorReport
}

/** @param failure of the run, for a file that it did not come to */
export function reportFile(run: FileRun, { dryRun }: Pick<Rules, 'dryRun'>, failure?: Failure): FileReport {
  const { file, key, stats, csv, seconds = 0 } = run
  const put = run.put ?? failure
  return {
    file: file.name,
    ...(key instanceof Failure ? {} : { key }),
    bytes: file.size,
    ...(csv === undefined || csv instanceof Failure ? {} : describeCsv(csv)),
    ...(put === undefined || put instanceof Failure
      ? { outcome: dryRun ? 'would-fail' : 'failed', error: reportError(put) }
      : {
          outcome: put.outcome,
          ...(put.etag === undefined ? {} : { etag: put.etag }),
          ...(put.versionId === undefined ? {} : { versionId: put.versionId }),
        }),
    seconds,
    requests: stats.requests,
    warnings: stats.warnings,
  }
}

function describeCsv({ size, digest, shape }: CsvContent) {
  const known = { bytes: size, crc32: toHex(digest.crc32) }
  if (shape === undefined) return known
  const { rows, header, columns, delimiter, encoding, lineEnd, faults, notes } = shape
  return { ...known, rows, header, columns, delimiter, encoding, lineEnd, faults, notes }
}

export function reportError(error: unknown): ErrorReport {
  if (error instanceof Failure) {
    const { code, message, advice, retryable, s3 } = error
    return { code, message, advice, retryable, ...(s3 === undefined ? {} : { s3 }) }
  }
  const message = error instanceof Error ? error.message : String(error)
  const advice = 'This is a fault of the program: report it, with what DEBUG=1 prints.'
  return { code: 'bug', message, advice, retryable: false }
}
