/** What a person or a program sees of a run. */
import type { Found } from '../csv/find-csv'
import type { Shard } from '../csv/shard'
import type { Retry } from '../s3/connect'
import type { BucketOutcome } from '../s3/create-bucket'
import type { FileReport, FileRun } from './file-report'
import type { Progress } from './progress'
import type { Summary } from './summary'

export interface Report {
  /** @param files how many this run takes of those that were found */
  found(run: string, files: number, found: Found, shard: Shard | undefined): void
  bucket(name: string, outcome: BucketOutcome, warnings: readonly string[]): void
  /** Shows how the `runs` come along, until the step ends. */
  watch(verb: Progress['verb'], runs: readonly FileRun[]): void
  /** All files were read, in `strict` before anything is sent. */
  checked(runs: readonly FileRun[]): void
  file(report: FileReport): void
  /** A request failed and will be sent again. */
  retry(retry: Retry): void
  /** The last word. */
  summary(summary: Summary): Promise<void>
  /** The stack of what ended the run, for those who asked for it. */
  trace(error: unknown): void
}
