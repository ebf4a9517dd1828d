/**
 * Records a run of the built program on a terminal as an animated picture: part of `npm run pictures`. It needs the
 * command `script` of Linux, which gives the program a terminal. The last screen is what a viewer without animation shows.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type IBufferCell, Terminal } from '@xterm/headless'
import S3rver from 's3rver'

const ROOT = join(__dirname, '..')
const [COLUMNS, ROWS] = [112, 24]
/** Of the connection to the server, in bytes a second: so that there is something to see. */
const RATE = 12_000_000
/** The screen is looked at this often. */
const FRAME_MS = 250
/** How long the last screen stays. */
const LAST_MS = 6000

/** Letters of 13 px, as wide as they are in most monospaced fonts. */
const [LETTER, LINE, LEFT, TOP] = [7.8, 18, 14, 28]
const PALETTE: Readonly<Record<number, string>> = { 1: 'r', 2: 'g', 3: 'y' }

interface Frame {
  /** Milliseconds since the run began. */
  readonly at: number
  /** The text of each row as SVG; an empty one is the empty string. */
  readonly rows: readonly string[]
}

/** Files to upload: the samples, a large one, and one with a fault. */
function makeFiles(folder: string): void {
  cpSync(join(ROOT, 'csv_files'), folder, { recursive: true })
  writeFileSync(join(folder, 'ratings.csv'), `user,film,stars\n${'1042,tt0211915,5\n'.repeat(3_500_000)}`)
  writeFileSync(
    join(folder, 'tv_shows-2024.csv'),
    `id,title\n${'7,Dark\n'.repeat(200_000)}8,Mr. Robot,2015\n9,Severance\n`,
  )
}

/** To the server on `port`, at `RATE` over all connections. */
async function startSlowProxy(port: number): Promise<Server> {
  let free = 0
  const proxy = createServer(client => {
    const server = connect(port, '127.0.0.1')
    for (const socket of [client, server]) socket.on('error', () => socket.destroy())
    server.pipe(client)
    client.on('end', () => server.end())
    client.on('data', data => {
      free = Math.max(free, Date.now()) + (data.length / RATE) * 1000
      client.pause()
      server.write(data)
      setTimeout(() => client.resume(), free - Date.now())
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return proxy
}

/** Runs the program on a terminal, and looks at the screen as it goes. */
async function record(env: Readonly<Record<string, string>>): Promise<readonly Frame[]> {
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec node '${join(ROOT, 'dist', 'main.js')}'`
  const program = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const terminal = new Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true })
  terminal.write('$ node dist/main.js\r\n')
  program.stdout.on('data', data => terminal.write(data))
  const begun = performance.now()
  const frames: Frame[] = []
  const look = () => frames.push({ at: Math.round(performance.now() - begun), rows: drawScreen(terminal) })
  const ticker = setInterval(look, FRAME_MS)
  const [code] = await once(program, 'close')
  clearInterval(ticker)
  await new Promise<void>(resolve => terminal.write('', resolve))
  look()
  if (code !== 0) throw new Error(`the run ended with ${code}`)
  return frames
}

function drawScreen({ buffer }: Terminal): string[] {
  return Array.from({ length: ROWS }, (_, y) => {
    const line = buffer.active.getLine(buffer.active.baseY + y)
    const cells = Array.from({ length: COLUMNS }, (__, x) => line?.getCell(x))
    const spans: { x: number; text: string; colour: string }[] = []
    for (const [x, cell] of cells.entries()) {
      const [text, colour] = [cell?.getChars() || ' ', colourOf(cell)]
      const last = spans.at(-1)
      if (last?.colour === colour) last.text += text
      else spans.push({ x, text, colour })
    }
    return spans.map(drawSpan(y)).join('')
  })
}

function colourOf(cell: IBufferCell | undefined): string {
  if (cell?.isDim()) return 'd'
  return (cell?.isFgPalette() && PALETTE[cell.getFgColor() % 8]) || ''
}

/** Writes columns one by one: not every viewer keeps the white space between them. */
const drawSpan =
  (y: number) =>
  ({ x, text, colour }: { readonly x: number; readonly text: string; readonly colour: string }): string =>
    [...text.matchAll(/\S+(?: \S+)*/g)]
      .map(({ index, 0: words }) => {
        const place = `x="${round(LEFT + (x + index) * LETTER)}" y="${TOP + y * LINE}"`
        const width = `textLength="${round(words.length * LETTER)}" lengthAdjust="spacingAndGlyphs"`
        return `<text ${place} ${width}${colour === '' ? '' : ` class="${colour}"`}>${toXml(words)}</text>`
      })
      .join('')

const round = (value: number) => Math.round(value * 10) / 10
const toXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Each row is drawn once for as long as it stays the same, and shown for that time. */
function animate(frames: readonly Frame[]): string {
  const height = TOP + lastRow(frames) * LINE + 16
  const total = (frames.at(-1)?.at ?? 0) + LAST_MS
  const percent = (at: number) => `${round((at / total) * 1000) / 10}%`
  const styles: string[] = []
  const body: string[] = []
  for (let y = 0; y < ROWS; y++) {
    let begun = 0
    for (const [index, frame] of frames.entries()) {
      const next = frames[index + 1]
      const row = frame.rows[y] ?? ''
      if (next !== undefined && next.rows[y] === row) continue
      const [from, to] = [frames[begun]?.at ?? 0, next?.at]
      begun = index + 1
      if (row === '') continue
      const name = `r${body.length}`
      const before = from === frames[0]?.at ? '' : '0%{visibility:hidden}'
      const after = to === undefined ? '' : `${percent(to)}{visibility:hidden}`
      styles.push(`@keyframes ${name}{${before}${percent(before === '' ? 0 : from)}{visibility:visible}${after}}`)
      styles.push(`.${name}{animation:${name} ${total}ms step-end infinite}`)
      const hidden = to === undefined ? '' : ' visibility="hidden"'
      body.push(`<g class="${name}"${hidden}>${row}</g>`)
    }
  }
  const width = Math.round(LEFT * 2 + COLUMNS * LETTER)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A run in a terminal: progress while it uploads, and the table at the end">
<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px;fill:#d7dae0}.g{fill:#7ec699}.y{fill:#e6c07b}.r{fill:#e06c75}.d{fill:#7f848e}
@media (prefers-reduced-motion:no-preference){
${styles.join('\n')}
}</style>
<rect width="${width}" height="${height}" rx="8" fill="#15181e"/>
${body.join('\n')}
</svg>
`
}

function lastRow(frames: readonly Frame[]): number {
  return Math.max(...frames.map(({ rows }) => rows.findLastIndex(row => row !== '')))
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'record-run-'))
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory: join(folder, 's3') },
    configureBuckets: [{ name: 'my-data-lake', configs: [] }],
  })
  const proxy = await startSlowProxy((await server.run()).port)
  try {
    const data = join(folder, 'csv_files')
    makeFiles(data)
    const frames = await record({
      ...{ HOME: folder, AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER', AWS_REGION: 'us-east-1' },
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      ...{ BUCKET_NAME: 'my-data-lake', DATA_DIR: data, RUN_DATE: '2024-10-21' },
    })
    writeFileSync(join(ROOT, 'docs', 'pictures', 'run.svg'), animate(frames))
  } finally {
    proxy.close()
    await server.close()
    rmSync(folder, { recursive: true })
  }
}

void main()
