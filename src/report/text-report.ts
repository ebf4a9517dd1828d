/** The report for people: a line as each step ends, progress while one lasts, and a table at the end. */
import { listFaults } from '../csv/check-csv'
import { printable } from '../lib/printable'
import { countOf, formatBytes, formatSeconds, listSome } from '../lib/text'
import type { FoundBucket } from '../s3/create-bucket'
import { adviceOf, describeTotals, groupFiles, recallFaults } from './closing'
import type { FileReport } from './file-report'
import { describeProgress, listActive, startProgress } from './progress'
import type { Report } from './report'
import { drawTable, type TableStyle } from './table'
import type { LiveLines, Paint } from './terminal'
import { chooseWidthOf } from './text-width'

const REDRAW_MS = 100
/** A log gets a line only now and then. */
const LOG_LINE_MS = 5000
/** Of more faults, or failures of one kind, only the number is told. */
const MOST_ALIKE = 20

const BUCKET_LINES: Readonly<Record<FoundBucket['bucketOutcome'], (name: string) => string>> = {
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
  /** Where progress can be drawn live. */
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
  const fail = ({ message, advice }: NonNullable<FileReport['error']>) =>
    complain('Failed:', 'red', `${message} ${advice}`)
  const next = (text: string) => complain('Next:', 'yellow', text)
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
    found: (files, { files: all, passedOver }, shard) => {
      const share = shard === undefined ? '' : `, of which share ${shard.index}/${shard.count} has ${files}`
      say(`Found ${countOf(all.length, 'CSV file')}${share}.`)
      if (passedOver.length > 0) warn(`passed over ${listSome(passedOver)}`)
      const begun = performance.now()
      show(now => [`Waiting for the bucket: ${formatSeconds((now - begun) / 1000)}`])
    },
    bucket: (name, outcome, warnings) => {
      stopProgress()
      say(BUCKET_LINES[outcome](name))
      warnings.forEach(warn)
    },
    follow: (verb, jobs, task) => {
      const progress = startProgress(verb, jobs)
      show(now => [describeProgress(progress, now), ...listActive(progress)])
      return async job => {
        progress.active.add(job)
        try {
          return await task(job)
        } finally {
          progress.active.delete(job)
          progress.ended.add(job)
        }
      }
    },
    read: entries => {
      stopProgress()
      const sizes = entries.flatMap(({ csv }) => ('size' in csv ? [csv.size] : []))
      say(`Read ${countOf(sizes.length, 'file')}, ${formatBytes(sizes.reduce((sum, size) => sum + size, 0))}.`)
      const faults = entries.flatMap(({ file, csv }) =>
        listFaults(csv).map(({ message }) => `${file.name}: ${message}`),
      )
      faults.slice(0, MOST_ALIKE).forEach(warn)
      if (faults.length > MOST_ALIKE) warn(`${faults.length - MOST_ALIKE} more faults; --json lists them all`)
    },
    file: ({ error }) => {
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
      if (summary.files.length > 0) {
        // Its cells are made printable before they get their colours.
        const widthOf = await chooseWidthOf(summary.files.map(({ file, key = '' }) => file + key))
        for (const line of ['', ...drawTable(summary.files, { ...table, widthOf }), '']) surface.draw(line)
      }
      if (summary.error === undefined) say(describeTotals(summary))
      else fail(summary.error)
      if (summary.manifest !== undefined) say(`Manifest: ${summary.manifest}`)
      recallFaults(summary.files).forEach(warn)
      groupFiles(summary.files, file => file.warnings).forEach(warn)
      groupFiles(summary.files, adviceOf).forEach(next)
      if (summary.exitCode !== 0 && summary.date !== undefined) {
        next(`start it again with --date ${summary.date}; what has landed is not sent twice.`)
      }
    },
    trace: error => {
      stopProgress()
      surface.trace(error)
    },
  }
}
