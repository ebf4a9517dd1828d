import { closeSync, createReadStream, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse'
import Papa from 'papaparse'
import { createCsvScanner } from '../src/csv/scan/scan-csv'
import { writeFilms } from './films'

/**
 * Compares the scanner with two well-known parsers that count the rows of the same file, each fed pieces of 1 MiB in
 * the way it likes best: `npx ts-node bench/scan-csv.ts`. The files, 200 MB each, are deleted at the end.
 */
const FILE_BYTES = 200e6
const RUNS = 3
const PIECE_BYTES = 1024 * 1024

const readPieces = (path: string) => createReadStream(path, { highWaterMark: PIECE_BYTES })
const CONTENDERS: Readonly<Record<string, (path: string) => Promise<number>>> = {
  async scanner(path) {
    const scanner = createCsvScanner()
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    const file = openSync(path, 'r')
    for (let length = readSync(file, piece); length > 0; length = readSync(file, piece)) {
      scanner.update(piece.subarray(0, length))
    }
    closeSync(file)
    return scanner.end().rows
  },
  'csv-parse': path =>
    new Promise((resolve, reject) => {
      let rows = 0
      const parser = readPieces(path).pipe(parse()).on('error', reject)
      parser.on('data', () => rows++).on('end', () => resolve(rows))
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
  const medians = results.map(({ name, speeds }) => ({ name, speed: speeds.sort((a, b) => a - b)[RUNS >> 1] ?? 0 }))
  const best = medians[0]?.speed ?? 0
  for (const { name, speed } of medians) {
    process.stdout.write(
      `${kind} ${name.padEnd(10)} ${speed.toFixed(0).padStart(5)} MB/s  1/${(best / speed).toFixed(1)}\n`,
    )
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'scan-csv-'))
  const path = join(folder, 'films.csv')
  try {
    for (const kind of [' plain', 'quoted']) {
      writeFilms(path, FILE_BYTES, kind === 'quoted')
      await compare(path, kind)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

void main()
