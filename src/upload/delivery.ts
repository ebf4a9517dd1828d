/** One file on its way to its key: what every step of sending it needs. */
import type { CsvReading, Digest } from '../csv/read-csv'
import type { Memory } from '../lib/memory'
import type { S3 } from '../s3/request'
import type { ObjectOptions } from './object-options'

/** What to do if the bucket or the operator gets in the way. */
export interface Rules {
  /** The key holds other content: write over it, leave it, or fail the file. */
  readonly onConflict: 'overwrite' | 'keep' | 'fail'
  /** The run is stopped: abort unfinished multipart uploads, or keep their parts for the next run. */
  readonly onInterrupt: 'abort' | 'keep'
  /** Nothing is written. */
  readonly dryRun: boolean
}

export interface Delivery {
  /** With the counter of this file. */
  readonly s3: S3
  readonly csv: CsvReading
  readonly key: string
  readonly rules: Rules
  readonly objectOptions: ObjectOptions
  /** Shared by all files. */
  readonly memory: Memory
}

/** The checksums of the delivery's file, cut into parts of `partSize` bytes. */
export type DigestOf = (partSize: number, withMd5: boolean) => Promise<Digest>

/** What became of a file, if it did not fail. */
export interface Put {
  readonly outcome: 'uploaded' | 'unchanged' | 'kept' | 'would-upload' | 'would-keep'
  readonly etag: string | undefined
  readonly versionId: string | undefined
}

/** What a server said of an object that it has just stored. */
export interface Landed {
  readonly etag: string | undefined
  readonly versionId: string | undefined
  /** The answers proved that the server stored what was read. */
  readonly isVerified: boolean
}
