/** The table at the end of a run. */
import type { FileReport } from './file-report'
import { printable } from './printable'
import type { Paint } from './terminal'
import { formatBytes } from './wording'

/** One long name does not push every other line's key off the screen. */
const WIDEST_PADDED_COLUMN = 40
/** Files of one outcome that are shown: all of them are in the JSON. */
const MOST_ROWS = 50

const COLOURS = {
  uploaded: 'green',
  unchanged: 'dim',
  kept: 'yellow',
  failed: 'red',
  'would-upload': 'green',
  'would-keep': 'yellow',
  'would-fail': 'red',
} as const satisfies Record<FileReport['outcome'], Parameters<Paint>[0]>

export interface TableStyle {
  readonly columns: number
  /** Columns that a text takes up: some characters take two, some none. */
  widthOf(text: string): number
  readonly paint: Paint
}

/**
 * A row for each file, those that failed last. The key comes last: it is the longest, and what stands behind it would
 * move. Where a row is wider than `columns`, each key has a line of its own.
 */
export function drawTable(files: readonly FileReport[], { columns, widthOf, paint }: TableStyle): string[] {
  const { shown, omitted } = choose(files)
  const rows = shown.map(({ file, rows, bytes, key, outcome }) => ({
    outcome,
    cells: [outcome, rows === undefined ? '-' : String(rows), bytes === undefined ? '-' : formatBytes(bytes), file].map(
      printable,
    ),
    key: printable(key ?? '-'),
  }))
  const head = ['OUTCOME', 'ROWS', 'SIZE', 'FILE']
  const widths = head.map((title, column) =>
    Math.min(WIDEST_PADDED_COLUMN, Math.max(title.length, ...rows.map(({ cells }) => widthOf(cells[column] ?? '')))),
  )
  const pad = (cells: readonly string[]) =>
    cells.map((cell, column) => cell + ' '.repeat(Math.max((widths[column] ?? 0) - widthOf(cell), 0))).join('  ')
  const isNarrow = rows.some(({ cells, key }) => widthOf(pad(cells)) + 2 + widthOf(key) > columns)
  const withKey = (cells: string, key: string) => (isNarrow ? [cells.trimEnd(), `  ${key}`] : [`${cells}  ${key}`])
  return [
    ...(isNarrow ? [pad(head).trimEnd()] : withKey(pad(head), 'KEY')),
    ...rows.flatMap(({ outcome, cells, key }) => {
      const [first = '', ...rest] = withKey(pad(cells), key)
      return [paint(COLOURS[outcome], first.slice(0, outcome.length)) + first.slice(outcome.length), ...rest]
    }),
    ...omitted.map(([outcome, count]) => `… and ${count} more ${outcome}`),
  ]
}

/** The files whose rows are drawn, and how many of each outcome are not. */
function choose(files: readonly FileReport[]) {
  const counts = new Map<FileReport['outcome'], number>()
  const shown = files.filter(({ outcome }) => {
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    return (counts.get(outcome) ?? 0) <= MOST_ROWS
  })
  const omitted = [...counts].map(([outcome, count]) => [outcome, count - MOST_ROWS] as const)
  const isBad = ({ outcome }: FileReport) => Number(outcome === 'failed' || outcome === 'would-fail')
  return { shown: shown.sort((a, b) => isBad(a) - isBad(b)), omitted: omitted.filter(([, count]) => count > 0) }
}
