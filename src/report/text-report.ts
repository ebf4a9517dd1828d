/** The report for people: a line as each step ends, progress while one lasts, and a table at the end. */

import type { CsvFault } from '../csv/scan/shape'
import { printable } from '../lib/printable'
import { countOf, formatBytes, formatSeconds, listSome } from '../lib/text'
import type { BucketOutcome } from '../s3/create-bucket'
import { describeNotes, describeTotals, groupFiles, recallFaults } from './closing'
import type { FileReport } from './file-report'
import { describeProgress, listActive, measureProgress } from './progress'
import type { Report } from './report'
import type { Summary } from './summary'
import { drawTable, type TableStyle } from './table'
import type { LiveLines, Paint } from './terminal'
import { chooseWidthOf } from './text-width'

const REDRAW_MS = 100
/** A log gets a line only now and then. */
const LOG_LINE_MS = 5000
/** After so long without a byte that the server acknowledges, a person asks what goes on. */
const STILL_MS = 5000
/** Of more faults, or failures of one kind, only the number is told. */
const MOST_ALIKE = 20

const BUCKET_LINES: Readonly<Record<BucketOutcome, (name: string) => string>> = {
  found: name => `Using the bucket ${name}.`,
  created: name => `Created the bucket ${name}.`,
  'would-create': name => `The bucket ${name} does not exist and would be created.`,
}

interface Surface {
  say(text: string): void
  complain(text: string): void
  /** A line of the table, as it is. */
  draw(line: string): void
  readonly table: Omit<TableStyle, 'widthOf'>
  readonly paintErr: Paint
  /** If progress can be drawn live. */
  readonly live: LiveLines | undefined
  readonly trace: Report['trace']
}

export function reportText({ table, paintErr, live, ...surface }: Surface): Report {
  let ticker: NodeJS.Timeout | undefined
  const stopProgress = () => {
    clearInterval(ticker)
    live?.clear()
  }
  const say = (text: string) => surface.say(printable(text))
  const complain = (mark: string, colour: 'red' | 'yellow', text: string) => {
    live?.clear()
    surface.complain(`${paintErr(colour, mark)} ${printable(text)}`)
  }
  const warn = (text: string) => complain('Warning:', 'yellow', `${text.replace(/\.$/, '')}.`)
  const told = new Set<string>()
  const warnOnce = (text: string) => {
    if (!told.has(text)) warn(text)
    told.add(text)
  }
  const advised = new Set<string>()
  /** Many files can share one cause: what to do about it is told once. */
  const fail = ({ message, advice, s3 }: NonNullable<FileReport['error']>) => {
    const id = s3?.requestId === undefined ? '' : ` Request id: ${s3.requestId}.`
    complain('Failed:', 'red', `${message}${advised.has(advice) ? '' : ` ${advice}`}${id}`)
    advised.add(advice)
  }
  const next = (text: string) => complain('Next:', 'yellow', text)
  const again = ({ exitCode, date, error, files }: Summary) => {
    if (exitCode === 0 || date === undefined) return
    const mayHelp = error?.retryable === true || files.some(file => file.error?.retryable === true)
    next(
      `${mayHelp ? '' : 'when that is fixed, '}start it again with --date ${date}; what has landed is not sent twice.`,
    )
  }
  /** The last request that is to be sent again, for as long as it waits. */
  const retry = { text: '', until: 0 }
  let faultsTold = 0
  let wasChecked = false
  const warnOfFaults = (file: string, faults: readonly CsvFault[]) => {
    for (const { message } of faults) {
      faultsTold += 1
      if (faultsTold <= MOST_ALIKE) warn(`${file}: ${message}`)
    }
  }
  const failures = new Map<string, { readonly told: Set<string>; untold: number }>()
  /** On a terminal over and over, in a log now and then; until `stopProgress`. */
  const show = (describe: (now: number) => readonly [head: string, ...details: string[]]) => {
    const tick = () => {
      const [head, ...details] = describe(performance.now()).map(printable)
      if (live === undefined) surface.complain(head ?? '')
      else live.draw(head ?? '', details)
    }
    ticker = setInterval(tick, live === undefined ? LOG_LINE_MS : REDRAW_MS).unref()
  }

  return {
    found: (_run, files, { files: all, passedOver }, shard) => {
      const share = shard === undefined ? '' : `, of which share ${shard.index}/${shard.count} has ${files}`
      say(`Found ${countOf(all.length, 'CSV file')}${share}.`)
      if (passedOver.length > 0) warn(`passed over ${listSome(passedOver)}`)
      const begun = performance.now()
      show(now => {
        const why = now < retry.until ? ` (${retry.text})` : ''
        return [`Waiting for the bucket: ${formatSeconds((now - begun) / 1000)}${why}`]
      })
    },
    bucket: (name, outcome, warnings) => {
      stopProgress()
      say(BUCKET_LINES[outcome](name))
      warnings.forEach(warnOnce)
    },
    watch: (verb, runs) => {
      stopProgress()
      wasChecked ||= verb === 'Checking'
      const progress = { verb, runs, begun: performance.now() }
      let moved = { bytes: 0, at: performance.now() }
      show(now => {
        const { bytesDone } = measureProgress(progress)
        if (bytesDone !== moved.bytes) moved = { bytes: bytesDone, at: now }
        const isStill = verb === 'Uploading' && now - moved.at > STILL_MS
        const wait = now < retry.until ? `; ${retry.text}` : isStill ? '; waiting for the server' : ''
        return [`${describeProgress(progress, now)}${wait}`, ...listActive(progress)]
      })
    },
    retry: ({ reason, status, attempt, attempts, seconds }) => {
      const name = status === undefined || reason.startsWith('HTTP') ? reason : `${status} ${reason}`
      retry.text = `${name}, attempt ${attempt} of ${attempts}, next in ${formatSeconds(seconds)}`
      retry.until = performance.now() + seconds * 1000
    },
    checked: runs => {
      // Without `strict` each file tells its faults itself.
      if (!wasChecked) return
      stopProgress()
      const bytes = runs.reduce((sum, { file }) => sum + file.size, 0)
      say(`Checked ${countOf(runs.length, 'file')}, ${formatBytes(bytes)}.`)
      for (const { file, csv } of runs) {
        if (csv !== undefined && 'shape' in csv) warnOfFaults(file.name, csv.shape?.faults ?? [])
      }
    },
    file: ({ file, faults = [], error }) => {
      if (!wasChecked) warnOfFaults(file, faults)
      if (error === undefined) return
      const alike = failures.get(error.code) ?? { told: new Set(), untold: 0 }
      failures.set(error.code, alike)
      if (alike.told.has(error.message) || alike.told.size === MOST_ALIKE) alike.untold += 1
      else {
        alike.told.add(error.message)
        fail(error)
      }
    },
    summary: async summary => {
      stopProgress()
      for (const [code, { untold }] of failures) {
        if (untold > 0) complain('Failed:', 'red', `${countOf(untold, 'more file')} (${code}).`)
      }
      summary.warnings.forEach(warnOnce)
      if (faultsTold > MOST_ALIKE) warn(`${faultsTold - MOST_ALIKE} more faults; --json lists them all`)
      const { error, files } = summary
      if (error !== undefined && files.every(file => file.error?.message === error.message)) {
        fail(error)
        return again(summary)
      }
      if (files.length > 0) {
        // Its cells are made printable before they get their colours.
        const widthOf = await chooseWidthOf(summary.files.map(({ file, key = '' }) => file + key))
        for (const line of ['', ...drawTable(summary, { ...table, widthOf }), '']) surface.draw(line)
      }
      if (error === undefined) say(describeTotals(summary))
      else fail(error)
      if (summary.manifest !== undefined) say(`Manifest: ${summary.manifest}`)
      recallFaults(summary.files).forEach(warn)
      groupFiles(summary.files, file => file.warnings).forEach(warn)
      for (const note of describeNotes(summary.files)) say(`Note: ${note}`)
      again(summary)
    },
    trace: error => {
      stopProgress()
      surface.trace(error)
    },
  }
}
