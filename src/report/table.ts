/** The table at the end of a run. */

import { printable } from '../lib/printable'
import { formatBytes } from '../lib/text'
import type { FileReport } from './file-report'
import type { Summary } from './summary'
import type { Paint } from './terminal'
import type { WidthOf } from './text-width'

/** One long name or key does not push every other line off the screen. */
const WIDEST_FILE = 40
const WIDEST_KEY = 100
/** Files of one outcome that are shown: all of them are in the JSON. */
const MOST_ROWS = 50
const GAP = '  '

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
  readonly widthOf: WidthOf
  readonly paint: Paint
}

/**
 * A row for each file, those that failed last. A file or key that is wider than its column has a line of its own, and
 * so has every key if `columns` leave no room for all: nothing is cut. Faults have a column if a file has one.
 */
export function drawTable({ bucket, files }: Pick<Summary, 'bucket' | 'files'>, style: TableStyle): string[] {
  const { columns, widthOf, paint } = style
  const { shown, omitted } = choose(files)
  const rows = shown.map(({ file, rows, bytes, key, outcome, faults = [] }) => ({
    file: printable(file),
    rows: rows === undefined ? '-' : String(rows),
    size: formatBytes(bytes),
    faults: faults.length === 0 ? '-' : String(faults.length),
    key: key === undefined ? '-' : printable(`s3://${bucket}/${key}`),
    outcome,
  }))
  type Column = keyof (typeof rows)[number]
  const widest = (column: Column, most = Infinity) =>
    Math.max(column.length, ...rows.map(row => widthOf(row[column])).filter(width => width <= most))
  const hasFaults = rows.some(row => row.faults !== '-')
  const numbers: readonly Column[] = ['rows', 'size', ...(hasFaults ? (['faults'] as const) : [])]
  const numbersWidth = numbers.reduce((width, column) => width + GAP.length + widest(column), 0)
  const beside = columns - numbersWidth - GAP.length - widest('outcome') - GAP.length
  const fileWidth = widest('file', Math.min(beside, WIDEST_FILE))
  const keyWidth = widest('key', WIDEST_KEY)
  const hasKeyColumn = fileWidth + GAP.length + keyWidth <= beside

  const space = (width: number, text: string) => ' '.repeat(Math.max(width - widthOf(text), 0))
  const draw = (cells: Readonly<Record<Column, string>>, outcome: string, faults = cells.faults) => {
    const counts = numbers.map(column => {
      const text = column === 'faults' ? faults : cells[column]
      return space(widest(column), cells[column]) + text
    })
    const key = hasKeyColumn ? [cells.key + space(keyWidth, cells.key)] : []
    return [cells.file + space(fileWidth, cells.file), ...counts, ...key, outcome].join(GAP)
  }
  const head = { file: 'FILE', rows: 'ROWS', size: 'SIZE', faults: 'FAULTS', key: 'KEY', outcome: 'OUTCOME' }
  return [
    draw(head as Readonly<Record<Column, string>>, head.outcome),
    ...rows.flatMap(row => {
      const isFileWide = widthOf(row.file) > fileWidth
      const isKeyWide = !hasKeyColumn || widthOf(row.key) > keyWidth
      const cells = { ...row, file: isFileWide ? '' : row.file, key: isKeyWide ? '' : row.key }
      const faults = row.faults === '-' ? '-' : paint('yellow', row.faults)
      const line = draw(cells, paint(COLOURS[row.outcome], row.outcome), faults)
      return [...(isFileWide ? [row.file] : []), line, ...(isKeyWide && row.key !== '-' ? [`${GAP}${row.key}`] : [])]
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
