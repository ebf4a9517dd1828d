/** One file on its way to its key: what every step of sending it needs. */

import type { CsvFile } from '../csv/csv-file'
import type { Budget } from '../lib/memory'
import type { Bucket, Tally } from '../s3/request'

/** What to do where the bucket or the operator gets in the way. */
export interface Rules {
  /** The key holds other content: write over it, leave it, or fail the file. */
  readonly onConflict: 'overwrite' | 'keep' | 'fail'
  /** The run is stopped: abort unfinished multipart uploads, or keep their parts for the next run. */
  readonly onInterrupt: 'abort' | 'keep'
  /** Nothing is written. */
  readonly dryRun: boolean
}

export interface Delivery {
  readonly bucket: Bucket
  readonly file: CsvFile
  readonly key: string
  readonly rules: Rules
  /** Bounds the requests and the memory of all files together. */
  readonly budget: Budget
  readonly tally: Tally
}

/** What a server said of an object that it has just stored. */
export interface Landed {
  readonly etag: string | undefined
  readonly versionId: string | undefined
  /** Whether its answers proved that what it stored is what was read. */
  readonly isVerified: boolean
}

/** Where the rules say so, a write must not replace an object, whoever wrote it in the meantime. */
export function conditionOf({ onConflict }: Rules): { readonly IfNoneMatch?: '*' } {
  return onConflict === 'overwrite' ? {} : { IfNoneMatch: '*' }
}
