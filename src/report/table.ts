/** The table at the end of a run. */

import { printable } from '../lib/printable'
import { formatBytes } from '../lib/text'
import type { FileReport } from './file-report'
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
 * so has every key where `columns` leave no room for all: nothing is cut.
 */
export function drawTable(files: readonly FileReport[], { columns, widthOf, paint }: TableStyle): string[] {
  const { shown, omitted } = choose(files)
  const rows = shown.map(({ file, rows, bytes, key, outcome }) => ({
    file: printable(file),
    rows: rows === undefined ? '-' : String(rows),
    size: bytes === undefined ? '-' : formatBytes(bytes),
    key: printable(key ?? '-'),
    outcome,
  }))
  const widest = (column: 'file' | 'rows' | 'size' | 'key' | 'outcome', most = Infinity) =>
    Math.max(column.length, ...rows.map(row => widthOf(row[column])).filter(width => width <= most))
  const [rowsWidth, sizeWidth] = [widest('rows'), widest('size')]
  const beside = columns - rowsWidth - sizeWidth - widest('outcome') - 3 * GAP.length
  const fileWidth = widest('file', Math.min(beside, WIDEST_FILE))
  const keyWidth = widest('key', WIDEST_KEY)
  const hasKeyColumn = fileWidth + GAP.length + keyWidth <= beside

  const space = (width: number, text: string) => ' '.repeat(Math.max(width - widthOf(text), 0))
  const draw = (file: string, count: string, size: string, key: string, outcome: string) => {
    const cells = [file + space(fileWidth, file), space(rowsWidth, count) + count, space(sizeWidth, size) + size]
    return [...cells, ...(hasKeyColumn ? [key + space(keyWidth, key)] : []), outcome].join(GAP)
  }
  return [
    draw('FILE', 'ROWS', 'SIZE', 'KEY', 'OUTCOME'),
    ...rows.flatMap(({ file, rows: count, size, key, outcome }) => {
      const isFileWide = widthOf(file) > fileWidth
      const isKeyWide = !hasKeyColumn || widthOf(key) > keyWidth
      const painted = paint(COLOURS[outcome], outcome)
      const row = draw(isFileWide ? '' : file, count, size, isKeyWide ? '' : key, painted)
      return [...(isFileWide ? [file] : []), row, ...(isKeyWide && key !== '-' ? [`${GAP}${key}`] : [])]
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
