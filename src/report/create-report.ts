/** Chooses who tells of a run: in text or in JSON, on a terminal or in a log. */
import { escapeControls, printable } from '../lib/printable'
import { reportEvents } from './json-report'
import type { Report } from './report'
import { choosePaint, chooseWrap, type Output, openLiveLines } from './terminal'
import { reportText } from './text-report'

interface Style {
  /** Of the program. */
  readonly version: string
  readonly json: boolean
  readonly stackTraces: boolean
  /** Colours also if there is no terminal. */
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
