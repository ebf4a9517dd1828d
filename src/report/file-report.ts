/** What became of one file, and of an error: as the JSON output has them. */

import type { CsvFile } from '../csv/csv-file'
import type { CsvFault } from '../csv/scan/shape'
import { Failure } from '../errors'
import { toHex } from '../lib/crc32'
import type { Tally } from '../s3/request'
import type { Rules } from '../upload/delivery'
import type { Put } from '../upload/put-object'

export interface ErrorReport {
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
  readonly outcome: Put['outcome'] | 'failed' | 'would-fail'
  readonly etag?: string
  readonly versionId?: string
  readonly seconds: number
  readonly requests: number
  readonly warnings: readonly string[]
  readonly error?: ErrorReport
}

/** One file's way through the steps: each holds what the step gave, or why there is nothing. */
export interface Passage {
  readonly file: { readonly name: string }
  readonly csv: CsvFile | Failure
  readonly key: string | Failure
  readonly put: Put | Failure
  readonly tally: Tally
  readonly seconds: number
}

export function reportFile({ file, csv, key, put, tally, seconds }: Passage, { dryRun }: Rules): FileReport {
  return {
    file: file.name,
    ...(key instanceof Failure ? {} : { key }),
    ...(csv instanceof Failure ? {} : describeCsv(csv)),
    ...(put instanceof Failure
      ? { outcome: dryRun ? 'would-fail' : 'failed', error: reportError(put) }
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

export function reportError(error: unknown): ErrorReport {
  if (error instanceof Failure) {
    const { code, message, advice, retryable } = error
    return { code, message, advice, retryable }
  }
  const message = error instanceof Error ? error.message : String(error)
  const advice = 'This is a fault of the program: report it, with what DEBUG=1 prints.'
  return { code: 'bug', message, advice, retryable: false }
}
