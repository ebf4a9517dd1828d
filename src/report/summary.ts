/** What became of a run: the last event of the JSON output, and what the text ends with. */

import type { Shard } from '../csv/shard'
import { exitCodeOf, Failure } from '../errors'
import type { BucketOutcome } from '../s3/create-bucket'
import type { Stats } from '../s3/request'
import type { Rules } from '../upload/delivery'
import { type ErrorReport, type FileReport, type FileRun, reportError, reportFile } from './file-report'

/** What of the configuration is worth repeating. */
interface Run {
  readonly s3: { readonly bucket: string }
  readonly runDate: string
  readonly shard: Shard | undefined
  readonly rules: Pick<Rules, 'dryRun'>
}

/** What a run would do; `failed` counts what would fail. */
interface DryRun {
  readonly wouldUpload: number
  readonly wouldKeep: number
  /** Rights that only a real run can prove. */
  readonly unproven: readonly string[]
}

export interface Summary {
  /** The id of the run. */
  readonly run: string
  readonly bucket?: string
  /** The `--date` that repeats the run. */
  readonly date?: string
  /** `i/n`, from 0: the share of the files that this run took. */
  readonly shard?: string
  readonly bucketOutcome?: BucketOutcome
  readonly files: readonly FileReport[]
  readonly uploaded: number
  readonly unchanged: number
  readonly kept: number
  readonly failed: number
  /** Of a dry run only, as what needs the right to write. */
  readonly dryRun?: DryRun
  /** What a person should know of the run as a whole. */
  readonly warnings: readonly string[]
  readonly bytesSent: number
  readonly requests: number
  /** Since the process began. */
  readonly seconds: number
  readonly exitCode: number
  /** The key of the manifest, if one was written. */
  readonly manifest?: string
  /** What ended the run before its files were looked at. */
  readonly error?: ErrorReport
}

interface RunEnd {
  /** The id of the run. */
  readonly id: string
  readonly bucketOutcome?: BucketOutcome
  /** What the steps that serve all files came to. */
  readonly shared?: Stats
  /** What ended the run before all was done. */
  readonly end?: unknown
}

/**
 * @param runs every file, as far as it came
 */
export function summarize(
  run: Run | undefined,
  runs: readonly FileRun[],
  { id, bucketOutcome, shared, end }: RunEnd,
): Summary {
  const rules = run?.rules ?? { dryRun: false }
  const failure = end instanceof Failure ? end : undefined
  const files = runs.map(each => reportFile(each, rules, failure))
  const count = (outcome: FileReport['outcome']) => files.filter(file => file.outcome === outcome).length
  const stats = [...(shared === undefined ? [] : [shared]), ...runs.map(each => each.stats)]
  const total = (counter: 'requests' | 'bytesSent') => stats.reduce((sum, each) => sum + each[counter], 0)
  const failures = runs.flatMap(({ put }) => (put instanceof Failure ? [put] : []))
  return {
    run: id,
    ...(run === undefined ? {} : describeRun(run)),
    ...(bucketOutcome === undefined ? {} : { bucketOutcome }),
    files,
    uploaded: count('uploaded'),
    unchanged: count('unchanged'),
    kept: count('kept'),
    failed: count('failed') + count('would-fail'),
    ...(rules.dryRun && bucketOutcome !== undefined
      ? {
          dryRun: {
            wouldUpload: count('would-upload'),
            wouldKeep: count('would-keep'),
            unproven: bucketOutcome === 'would-create' ? ['s3:CreateBucket', 's3:PutObject'] : ['s3:PutObject'],
          },
        }
      : {}),
    warnings: shared?.warnings ?? [],
    bytesSent: total('bytesSent'),
    requests: total('requests'),
    seconds: secondsSoFar(),
    exitCode: end === undefined ? exitCodeOf(failures) : (failure?.exitCode ?? 1),
    ...(end === undefined ? {} : { error: reportError(end) }),
  }
}

function secondsSoFar(): number {
  return Math.round(process.uptime() * 1000) / 1000
}

function describeRun({ s3, runDate, shard }: Run) {
  return {
    bucket: s3.bucket,
    date: runDate,
    ...(shard === undefined ? {} : { shard: `${shard.index}/${shard.count}` }),
  }
}
