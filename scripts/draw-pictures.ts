/** Draws the pictures of the documents that follow from the program itself: `npm run pictures`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillIn, PLACEHOLDER } from '../src/key/build-key'
import { parseLayout } from '../src/key/layout'

const FOLDER = join(__dirname, '..', 'docs', 'pictures')
/** Width of a monospaced letter, as a share of its size. */
const LETTER = 0.6
/** Colours that are told apart on white and on black, also by who does not see red and green. */
const COLOURS = {
  blue: '#4c8dd6',
  orange: '#d98c21',
  green: '#2fa37c',
  purple: '#b06bc4',
  red: '#d65f5f',
  grey: '#8b939e',
}

type Colour = keyof typeof COLOURS

interface Picture {
  readonly width: number
  readonly height: number
  /** What it shows, for who cannot see it. */
  readonly label: string
  readonly body: readonly string[]
}

function draw({ width, height, label, body }: Picture): string {
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${toXml(label)}">
<style>
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#1f2328}
.card{fill:#fff;stroke:#d0d7de}.line{fill:none;stroke:#8b939e;stroke-width:1.5}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.card{fill:#0d1117;stroke:#3d444d}}
${Object.entries(COLOURS)
  .map(([name, colour]) => `.${name}{fill:${colour}}`)
  .join('')}
</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${body.join('\n')}
</svg>
`
}

/** A text whose width is the same in every font. */
function write(
  x: number,
  y: number,
  text: string,
  { size = 14, colour }: { size?: number; colour?: Colour } = {},
): string {
  const width = text.length * size * LETTER
  const paint = colour === undefined ? '' : ` class="${colour}"`
  return `<text x="${x}" y="${y}" font-size="${size}" textLength="${width}" lengthAdjust="spacingAndGlyphs"${paint}>${toXml(text)}</text>`
}

function toXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

const FILE = 'csv_files/imdb/tv_shows-2024.csv'
const NAMES = { layer: 'Raw', source: 'Local', format: 'CSV' }

/** What each part of a key comes from. */
const PARTS: Readonly<Record<string, { readonly colour: Colour; readonly from: string }>> = {
  layer: { colour: 'blue', from: 'STORAGE_LAYER' },
  source: { colour: 'orange', from: 'DATA_SOURCE' },
  format: { colour: 'green', from: 'DATA_FORMAT' },
  dataset: { colour: 'purple', from: "the file's name" },
  date: { colour: 'red', from: 'RUN_DATE' },
  file: { colour: 'grey', from: 'the path in DATA_DIR' },
}

/** A key in its parts, each with the field of the layout that it comes from. */
function splitKey(layout: string): readonly { readonly text: string; readonly field?: string }[] {
  const { template, ...rest } = parseLayout(layout, NAMES)
  const name = FILE.slice('csv_files/'.length)
  return template.split(PLACEHOLDER).map((text, index) => {
    if (index % 2 === 0) return { text }
    return { text: fillIn({ ...rest, template: `{${text}}` }, name, '2024-10-21'), field: text.split(':')[0] ?? '' }
  })
}

function drawKey(): string {
  const row = (y: number, layout: string) => {
    let x = 24 + 16 * 14 * LETTER
    const parts = splitKey(layout).map(({ text, field = '' }) => {
      const colour = PARTS[field]?.colour
      const written = write(x, y, text, colour === undefined ? {} : { colour })
      x += text.length * 14 * LETTER
      return written
    })
    return [write(24, y, `KEY_LAYOUT=${layout}`.padEnd(16), { size: 12 }), ...parts]
  }
  const legend = Object.values(PARTS).map(({ colour, from }, index) => {
    const [x, y] = [24 + (index % 3) * 260, 168 + Math.floor(index / 3) * 24]
    return `<rect class="${colour}" x="${x}" y="${y - 10}" width="12" height="12" rx="3"/>${write(x + 20, y, from, { size: 13 })}`
  })
  const from = [write(24, 36, 'the file', { size: 12 }), write(24 + 16 * 14 * LETTER, 36, FILE)]
  return draw({
    width: 860,
    height: 212,
    label: `${FILE} lands under ${['plain', 'hive'].map(layout => joinKey(layout)).join(', or with KEY_LAYOUT=hive under ')}`,
    body: [...from, ...row(80, 'plain'), ...row(112, 'hive'), ...legend],
  })
}

function joinKey(layout: string): string {
  return splitKey(layout)
    .map(({ text }) => text)
    .join('')
}

/** The exit codes with what they mean and what to do; for code 1 each file has its own answer. */
export const EXIT_CODES: readonly {
  readonly codes: readonly number[]
  readonly means: string
  readonly next: readonly (readonly [condition: string, advice: string, colour: Colour])[]
}[] = [
  { codes: [0], means: 'every file is in the bucket', next: [['', 'done', 'green']] },
  { codes: [6], means: 'the endpoint is away, or kept failing', next: [['', 'run again, same date', 'orange']] },
  { codes: [130, 143], means: 'stopped by SIGINT, SIGTERM', next: [['', 'run again, same date', 'orange']] },
  {
    codes: [1],
    means: 'some files failed',
    next: [
      ['retryable', 'run again, same date', 'orange'],
      ['not', 'do what its line says', 'red'],
    ],
  },
  { codes: [2], means: 'a setting, an argument, or no CSV file', next: [['', 'correct it, then run', 'red']] },
  { codes: [3], means: 'credentials missing, expired, refused', next: [['', 'renew them, then run', 'red']] },
  { codes: [4], means: 'the bucket cannot be used', next: [['', 'name it right, or get access', 'red']] },
  { codes: [5], means: 'strict, and a file with CSV faults', next: [['', 'fix it, or CSV_CHECK=warn', 'red']] },
]

function drawExitCodes(): string {
  const leaves = EXIT_CODES.flatMap(({ codes, means, next }) =>
    next.map(([condition, advice, colour], index) => ({
      codes,
      means,
      condition,
      advice,
      colour,
      isFirst: index === 0,
    })),
  )
  const [top, step, trunk] = [30, 30, 112]
  const yOf = (index: number) => top + index * step
  const root = yOf((leaves.length - 1) / 2)
  const body = leaves.flatMap(({ codes, means, condition, advice, colour, isFirst }, index) => {
    const y = yOf(index)
    const branch = isFirst
      ? [
          `<path class="line" d="M${trunk} ${root}V${y}H${trunk + 22}"/>`,
          write(trunk + 30, y + 5, codes.join(' '), { size: 15 }),
          write(trunk + 110, y + 5, means, { size: 13 }),
        ]
      : [`<path class="line" d="M430 ${y - step}V${y}H446"/>`]
    const start = condition === '' ? trunk + 118 + means.length * 13 * LETTER : 446 + 8 + condition.length * 13 * LETTER
    const fork = condition === '' ? [] : [write(450, y + 5, condition, { size: 13 })]
    const lead =
      isFirst && condition !== ''
        ? [`<path class="line" d="M${trunk + 118 + means.length * 13 * LETTER} ${y}H446"/>`]
        : []
    return [
      ...branch,
      ...lead,
      ...fork,
      `<path class="line" stroke-dasharray="2 4" d="M${start + 6} ${y}H554"/>`,
      `<circle class="${colour}" cx="566" cy="${y}" r="6"/>`,
      write(582, y + 5, advice, { size: 13 }),
    ]
  })
  const stem = `<path class="line" d="M${trunk - 10} ${root}H${trunk}"/>`
  return draw({
    width: 820,
    height: yOf(leaves.length - 1) + 30,
    label: EXIT_CODES.map(({ codes, means, next }) => {
      const advice = next.map(([condition, text]) => (condition === '' ? text : `${condition}: ${text}`))
      return `${codes.join(', ')}: ${means}; ${advice.join(', ')}`
    }).join('. '),
    body: [write(22, root + 5, 'exit code', { size: 13 }), stem, ...body],
  })
}

/** Each picture by its file's name. */
export const PICTURES: Readonly<Record<string, () => string>> = { 'key.svg': drawKey, 'exit-codes.svg': drawExitCodes }

if (require.main === module) {
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, drawIt] of Object.entries(PICTURES)) writeFileSync(join(FOLDER, name), drawIt())
}
