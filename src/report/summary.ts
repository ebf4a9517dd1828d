/** What became of a run: the last event of the JSON output, and what the text ends with. */
import type { Shard } from '../csv/shard'
import { exitCodeOf, Failure } from '../errors'
import type { FoundBucket } from '../s3/create-bucket'
import type { Tally } from '../s3/request'
import type { Rules } from '../upload/delivery'
import { type ErrorReport, type FileReport, type Passage, reportError, reportFile } from './file-report'

/** What of the configuration is worth repeating. */
interface Run {
  readonly s3: { readonly bucket: string }
  readonly runDate: string
  readonly shard: Shard | undefined
  readonly rules: Rules
}

/** What a run would do; `failed` counts what would fail. */
interface DryRun {
  readonly wouldUpload: number
  readonly wouldKeep: number
  /** Rights that only a real run can prove. */
  readonly unproven: readonly string[]
}

export interface Summary {
  readonly bucket?: string
  /** The `--date` that repeats the run. */
  readonly date?: string
  /** `i/n`, from 0: the share of the files that this run took. */
  readonly shard?: string
  readonly bucketOutcome?: FoundBucket['bucketOutcome']
  readonly files: readonly FileReport[]
  readonly uploaded: number
  readonly unchanged: number
  readonly kept: number
  readonly failed: number
  /** Of a dry run only, as what needs the right to write. */
  readonly dryRun?: DryRun
  readonly bytesSent: number
  readonly requests: number
  /** Since the process began. */
  readonly seconds: number
  readonly exitCode: number
  /** The key of the manifest, where one was written. */
  readonly manifest?: string
  /** What ended the run before its files were looked at. */
  readonly error?: ErrorReport
}

/** @param shared what the steps that serve all files came to */
export function summarize(
  run: Run,
  bucketOutcome: FoundBucket['bucketOutcome'],
  passages: readonly Passage[],
  shared: Tally,
): Summary {
  const puts = passages.map(passage => passage.put)
  const failures = puts.filter(put => put instanceof Failure)
  const count = (outcome: FileReport['outcome']) =>
    puts.filter(put => !(put instanceof Failure) && put.outcome === outcome).length
  const tallies = [shared, ...passages.map(passage => passage.tally)]
  const total = (counter: 'requests' | 'bytesSent') => tallies.reduce((sum, tally) => sum + tally[counter], 0)
  return {
    ...describeRun(run),
    bucketOutcome,
    files: passages.map(passage => reportFile(passage, run.rules)),
    uploaded: count('uploaded'),
    unchanged: count('unchanged'),
    kept: count('kept'),
    failed: failures.length,
    ...(run.rules.dryRun
      ? {
          dryRun: {
            wouldUpload: count('would-upload'),
            wouldKeep: count('would-keep'),
            unproven: bucketOutcome === 'would-create' ? ['s3:CreateBucket', 's3:PutObject'] : ['s3:PutObject'],
          },
        }
      : {}),
    bytesSent: total('bytesSent'),
    requests: total('requests'),
    seconds: secondsSoFar(),
    exitCode: exitCodeOf(failures),
  }
}

/** The summary of a run that ended before its files were looked at, and perhaps before it was configured. */
export function summarizeEnd(error: unknown, run: Run | undefined): Summary {
  return {
    ...(run === undefined ? {} : describeRun(run)),
    files: [],
    uploaded: 0,
    unchanged: 0,
    kept: 0,
    failed: 0,
    bytesSent: 0,
    requests: 0,
    seconds: secondsSoFar(),
    exitCode: error instanceof Failure ? error.exitCode : 1,
    error: reportError(error),
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
