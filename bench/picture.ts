/** Draws the bench's JSON as bars: `npx ts-node bench/picture.ts bench.json docs/speed.svg`. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Results, Row } from './table'

const COLUMN_WIDTH = 300
const BAR_HEIGHT = 14
const LINE_HEIGHT = 20
const TITLE_HEIGHT = 36
const MARGIN = 16
const NAME_WIDTH = 96
const LONGEST_BAR = 120
/** The program itself, and the peers. Its variants and the floors have no bar. */
const DRAWN = ['this program', 'aws-cli', 's5cmd', 'rclone', 'lib-storage', 'curl']
const STYLE =
  'text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px;fill:#d7dae0}.d{fill:#7f848e}.b{fill:#4b5263}.o{fill:#7ec699}'

/** The bars of one work in one scenario, each work at a scale of its own. */
function drawGroup(rows: readonly Row[], x: number, y: number): string {
  const [first] = rows
  if (first === undefined) return ''
  const longest = Math.max(...rows.map(row => row.wall))
  const bars = rows.map((row, index) => {
    const top = y + TITLE_HEIGHT - LINE_HEIGHT + 8 + index * LINE_HEIGHT
    const width = Math.max(1, (row.wall / longest) * LONGEST_BAR)
    const kind = row.uploader === DRAWN[0] ? 'o' : 'b'
    const [text, bar] = [top + BAR_HEIGHT - 3, x + NAME_WIDTH]
    return [
      `<text x="${x}" y="${text}">${row.uploader}</text>`,
      `<rect x="${bar}" y="${top}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" rx="2" class="${kind}"/>`,
      `<text x="${(bar + width + 6).toFixed(1)}" y="${text}">${row.wall.toFixed(2)} s</text>`,
    ].join('\n')
  })
  return [`<text x="${x}" y="${y + 12}" class="d">${first.scenario}: ${first.title}</text>`, ...bars].join('\n')
}

/** A column for each scenario, a line for each work. */
function draw({ rows }: Results): string {
  const drawn = rows.filter(row => DRAWN.includes(row.uploader))
  const scenarios = [...new Set(drawn.map(row => row.scenario))]
  // A work that was measured in one scenario only is one of the special ones.
  const works = [...new Set(drawn.map(row => row.work))].filter(
    work => new Set(drawn.filter(row => row.work === work).map(row => row.scenario)).size === scenarios.length,
  )
  let y = MARGIN
  const groups: string[] = []
  for (const work of works) {
    const columns = scenarios.map(scenario => drawn.filter(row => row.work === work && row.scenario === scenario))
    groups.push(...columns.map((column, index) => drawGroup(column, MARGIN + index * COLUMN_WIDTH, y)))
    y += TITLE_HEIGHT + Math.max(...columns.map(column => column.length)) * LINE_HEIGHT
  }
  const width = scenarios.length * COLUMN_WIDTH + MARGIN
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img" aria-label="Seconds of each uploader, by work and scenario; shorter is better">`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${y}" rx="8" fill="#15181e"/>`,
    ...groups,
    '</svg>\n',
  ].join('\n')
}

const [from = '', to = ''] = process.argv.slice(2)
writeFileSync(to, draw(JSON.parse(readFileSync(from, 'utf8'))))
