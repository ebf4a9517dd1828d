/** What a person or a program sees of a run. */

import type { CsvFile } from '../csv/csv-file'
import type { Found } from '../csv/find-csv'
import type { Shard } from '../csv/shard'
import type { Failure } from '../errors'
import { escapeControls, printable } from '../lib/printable'
import type { FoundBucket } from '../s3/create-bucket'
import type { FileReport } from './file-report'
import { reportEvents } from './json-report'
import type { Job, Progress } from './progress'
import type { Summary } from './summary'
import { choosePaint, chooseWrap, type Output, openLiveLines } from './terminal'
import { reportText } from './text-report'

export interface Report {
  /** @param files how many this run takes of those that were found */
  found(files: number, found: Found, shard: Shard | undefined): void
  bucket(name: string, outcome: FoundBucket['bucketOutcome'], warnings: readonly string[]): void
  /** `task`, with every job that goes through it shown as it moves on. */
  follow<J extends Job, Result>(
    verb: Progress['verb'],
    jobs: readonly J[],
    task: (job: J) => Promise<Result>,
  ): (job: J) => Promise<Result>
  read(entries: readonly ReadEntry[]): void
  file(report: FileReport): void
  /** The last word. */
  summary(summary: Summary): Promise<void>
  /** The stack of what ended the run, for those who asked for it. */
  trace(error: unknown): void
}

interface ReadEntry {
  readonly file: { readonly name: string }
  readonly csv: CsvFile | Failure
}

interface Style {
  readonly json: boolean
  readonly stackTraces: boolean
  /** Colours also where no terminal is. */
  readonly forceColor: boolean
}

interface Streams {
  readonly out: Output
  readonly err: Output
}

/** In `json`, only events go to `out`; in text, progress, warnings and failures go to `err`. */
export async function createReport({ json, stackTraces, forceColor }: Style, { out, err }: Streams): Promise<Report> {
  const trace = (error: unknown) => {
    if (!stackTraces || !(error instanceof Error)) return
    for (const line of (error.stack ?? '').split('\n')) err.write(`${printable(line)}\n`)
  }
  if (json) {
    const emit = (event: string, data: object) => out.write(`${escapeControls(JSON.stringify({ event, ...data }))}\n`)
    return reportEvents(emit, trace)
  }
  const [wrapOut, wrapErr] = await Promise.all([chooseWrap(out), chooseWrap(err)])
  return reportText({
    say: text => out.write(`${wrapOut(text)}\n`),
    complain: text => err.write(`${wrapErr(text)}\n`),
    draw: line => out.write(`${line}\n`),
    table: {
      columns: out.isTTY === true ? (out.columns ?? Infinity) : Infinity,
      paint: choosePaint(out, forceColor),
    },
    paintErr: choosePaint(err, forceColor),
    live: await openLiveLines(err),
    trace,
  })
}
