import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { parse } from 'csv-parse'
import Papa from 'papaparse'
import { createCsvScanner } from '../src/scan-csv'

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
  async 'csv-parse'(path) {
    let rows = 0
    for await (const _ of readPieces(path).pipe(parse())) rows++
    return rows
  },
  papaparse: path =>
    new Promise((resolve, reject) => {
      let rows = 0
      Papa.parse<string[]>(readPieces(path), {
        chunk: ({ data }) => {
          rows += data.length
        },
        skipEmptyLines: true,
        complete: () => resolve(rows),
        error: reject,
      })
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

async function writeFilms(path: string, quoted: boolean): Promise<void> {
  await using file = await open(path, 'w')
  let lines: string[] = []
  let written = 0
  for (const row of makeRows(quoted)) {
    if (lines.push(row) < 50_000) continue
    written += (await file.write(lines.join(''))).bytesWritten
    lines = []
    if (written >= FILE_BYTES) return
  }
}

async function compare(path: string, kind: string): Promise<void> {
  const megabytes = statSync(path).size / 1e6
  const names = Object.keys(CONTENDERS)
  const speeds = new Map<string, number[]>(names.map(name => [name, []]))
  const counts = new Set<number>()
  for (let run = 0; run < RUNS; run++) {
    for (const [name, countRows] of Object.entries(CONTENDERS)) {
      const start = performance.now()
      counts.add(await countRows(path))
      speeds.get(name)?.push(megabytes / ((performance.now() - start) / 1000))
    }
  }
  if (counts.size > 1) throw new Error(`They count different rows: ${[...counts].join(', ')}`)
  const medians = names.map(name => speeds.get(name)?.sort((a, b) => a - b)[RUNS >> 1] ?? 0)
  const lines = names.map((name, index) => {
    const speed = medians[index] ?? 0
    return `${kind.padEnd(8)}${name.padEnd(12)}${speed.toFixed(0).padStart(6)} MB/s  1/${((medians[0] ?? 0) / speed).toFixed(1)}`
  })
  process.stdout.write(`${lines.join('\n')}\n`)
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'scan-csv-'))
  try {
    for (const kind of ['plain', 'quoted']) {
      const path = join(folder, `${kind}.csv`)
      await writeFilms(path, kind === 'quoted')
      await compare(path, kind)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

void main()
