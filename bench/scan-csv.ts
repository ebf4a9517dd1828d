import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse'
import Papa from 'papaparse'
import { createCsvScanner } from '../src/scan/scan-csv'

/**
 * Compares the scanner with two well-known parsers that count the rows of the same file, read in the same way:
 * `npx ts-node bench/scan-csv.ts`. The files, 200 MB each, are deleted at the end.
 */
const FILE_BYTES = 200e6
const RUNS = 3
const PIECE_BYTES = 1024 * 1024

const WORDS =
  'The Godfather Shawshank Redemption Lord of Rings Pulp Fiction Dark Knight Amélie Café Seven Samurai'.split(' ')
const GENRES = ['Drama', 'Comedy', 'Science Fiction', 'Thriller']

type CountRows = (path: string) => Promise<number>

const readPieces = (path: string) => createReadStream(path, { highWaterMark: PIECE_BYTES })

const CONTENDERS: Readonly<Record<string, CountRows>> = {
  async scanner(path) {
    const scanner = createCsvScanner()
    for await (const chunk of readPieces(path)) scanner.update(chunk)
    return scanner.end().rows
  },
  'csv-parse': path =>
    new Promise((resolve, reject) => {
      let rows = 0
      const parser = readPieces(path).pipe(parse())
      parser.on('data', () => rows++).on('error', reject)
      parser.on('end', () => resolve(rows))
    }),
  papaparse: path =>
    new Promise((resolve, reject) => {
      let rows = 0
      const chunk = ({ data }: { readonly data: readonly unknown[] }) => {
        rows += data.length
      }
      Papa.parse(readPieces(path), { chunk, skipEmptyLines: true, complete: () => resolve(rows), error: reject })
    }),
}

function* makeRows(quoted: boolean): Generator<string> {
  let random = 1
  const draw = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return (random >>> 8) % below
  }
  const words = (count: number) => Array.from({ length: count }, () => WORDS[draw(WORDS.length)]).join(' ')
  const text = (value: string) => (quoted ? `"${value}"` : value)
  yield 'id,title,year,genre,rating,votes,revenue,director\n'
  for (let id = 1; ; id++) {
    const title = text(quoted && id % 10 === 0 ? `${words(2)}, ""${words(1)}""` : words(1 + draw(5)))
    const numbers = `${draw(100) / 10},${draw(2e6)},${draw(1e9)}`
    yield `${id},${title},${1930 + draw(95)},${text(GENRES[draw(4)] ?? '')},${numbers},${text(words(2))}\n`
  }
}

function writeFilms(path: string, quoted: boolean): void {
  const file = openSync(path, 'w')
  let lines: string[] = []
  let written = 0
  for (const row of makeRows(quoted)) {
    if (lines.push(row) < 50_000) continue
    written += writeSync(file, lines.join(''))
    lines = []
    if (written >= FILE_BYTES) break
  }
  closeSync(file)
}

async function compare(path: string, kind: string): Promise<void> {
  const results = Object.entries(CONTENDERS).map(([name, countRows]) => ({ name, countRows, speeds: [] as number[] }))
  const counts = new Set<number>()
  for (let run = 0; run < RUNS; run++) {
    for (const { countRows, speeds } of results) {
      const start = performance.now()
      counts.add(await countRows(path))
      speeds.push(statSync(path).size / 1000 / (performance.now() - start))
    }
  }
  if (counts.size > 1) throw new Error(`They count different rows: ${[...counts].join(', ')}`)
  const medians = results.map(({ speeds }) => speeds.sort((a, b) => a - b)[RUNS >> 1] ?? 0)
  for (const [index, { name }] of results.entries()) {
    const speed = medians[index] ?? 0
    const ratio = (medians[0] ?? 0) / speed
    process.stdout.write(
      `${kind.padEnd(8)}${name.padEnd(10)}${speed.toFixed(0).padStart(6)} MB/s  1/${ratio.toFixed(1)}\n`,
    )
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'scan-csv-'))
  try {
    for (const kind of ['plain', 'quoted']) {
      const path = join(folder, `${kind}.csv`)
      writeFilms(path, kind === 'quoted')
      await compare(path, kind)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

void main()
