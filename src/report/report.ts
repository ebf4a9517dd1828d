/** What a person or a program sees of a run. */
import type { Found } from '../csv/find-csv'
import type { Shard } from '../csv/shard'
import { escapeControls, printable } from '../lib/printable'
import type { Retry } from '../s3/connect'
import type { BucketOutcome } from '../s3/create-bucket'
import type { FileReport, FileRun } from './file-report'
import { reportEvents } from './json-report'
import type { Progress } from './progress'
import type { Summary } from './summary'
import { choosePaint, chooseWrap, type Output, openLiveLines } from './terminal'
import { reportText } from './text-report'

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

interface Style {
  /** Of the program. */
  readonly version: string
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
export async function createReport(
  { version, json, stackTraces, forceColor }: Style,
  { out, err }: Streams,
): Promise<Report> {
  const trace = (error: unknown) => {
    if (!stackTraces || !(error instanceof Error)) return
    for (const line of (error.stack ?? '').split('\n')) err.write(`${printable(line)}\n`)
  }
  if (json) {
    let first: object = { version }
    const emit = (event: string, data: object) => {
      const line = JSON.stringify({ event, time: new Date().toISOString(), ...first, ...data })
      out.write(`${escapeControls(line)}\n`)
      first = {}
    }
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
