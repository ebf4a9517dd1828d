import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse'
import Papa from 'papaparse'
import { createCsvScanner } from '../src/csv/scan/scan-csv'
import { writeFilms } from './films'

/**
 * Compares the scanner with two well-known parsers that count the rows of the same file, each fed pieces of 1 MiB in
 * the way it likes best: `npx ts-node bench/scan-csv.ts`. The files, 200 MB each, are deleted at the end. Then it compares
 * texts that are slow to read with plain text, byte for byte: none takes more than six times as long.
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

const SHAPE_BYTES = 64 * PIECE_BYTES

/** Text of which every character is drawn by chance. */
function drawText(characters: string): Buffer {
  let random = 1
  return Buffer.alloc(SHAPE_BYTES).map(() => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return characters.charCodeAt((random >>> 8) % characters.length)
  }) as Buffer
}

/** Texts that are hard on a scanner, by what is so in them. `films` is plain text. */
const makeShapes = (films: string): Readonly<Record<string, Buffer>> => ({
  'plain text': Buffer.alloc(SHAPE_BYTES, films),
  'a blank line after every row': Buffer.alloc(SHAPE_BYTES, films.replaceAll('\n', '\n\n')),
  'CR for line breaks': Buffer.alloc(SHAPE_BYTES, films.replaceAll('\n', '\r')),
  'only line breaks': Buffer.alloc(SHAPE_BYTES, '\n'),
  'only spaces': Buffer.alloc(SHAPE_BYTES, ' '),
  'only NULs': Buffer.alloc(SHAPE_BYTES),
  'a random mix of ",\\n\\r': drawText('",\n\r'),
  'a random mix of ",\\n\\ra': drawText('",\n\ra'),
  'rows of another length': Buffer.alloc(SHAPE_BYTES, 'a,b\n1\n1,2\n1,2,3\n'),
  'line breaks in quotes': Buffer.alloc(SHAPE_BYTES, '7,"line\nbreak"\n'),
  'stray quotes': Buffer.alloc(SHAPE_BYTES, 'a,b"c,d\n'),
  'rows of empty fields': Buffer.alloc(SHAPE_BYTES, 'a,b,c\n,,\n,,\n,,\n'),
  'two pipes for a delimiter': Buffer.alloc(SHAPE_BYTES, films.replaceAll(',', '||')),
  'two pipes, short fields': Buffer.alloc(SHAPE_BYTES, 'a||b\n1||2\n'),
  'three characters for a delimiter': Buffer.alloc(SHAPE_BYTES, 'abc~|~def~|~g\n12~|~34~|~5\n'),
  'backslashes that escape quotes': Buffer.alloc(SHAPE_BYTES, 'a,"\\"\\"\\"\\""\n'),
  'backslashes before quotes': Buffer.alloc(SHAPE_BYTES, 'a,b\\"c\n'),
  'a NUL in every row': Buffer.alloc(SHAPE_BYTES, '\0a,b\n'),
  'byte order marks': Buffer.alloc(SHAPE_BYTES, '\ufeff,\ufeffx\n'),
  mojibake: Buffer.alloc(SHAPE_BYTES, 'Ã©,Ã©Ã©\n'),
  'Windows-1252': Buffer.alloc(SHAPE_BYTES, Buffer.from('Caf\xe9,x\n', 'latin1')),
  'UTF-8 that is often broken': Buffer.alloc(SHAPE_BYTES, Buffer.from('a,b\n\xc3\xa9,\xc3\xa9\xff\n', 'latin1')),
  'UTF-16': Buffer.from(films.repeat(SHAPE_BYTES / 2 / films.length), 'utf16le'),
  'UTF-32': Buffer.alloc(
    SHAPE_BYTES,
    Buffer.concat([...films.slice(0, 10_000)].map(char => Buffer.from([...Buffer.from(char, 'utf16le'), 0, 0]))),
  ),
})

function compareShapes(path: string): void {
  const films = readFileSync(path, 'utf8')
  let plain = 0
  for (const [shape, text] of Object.entries(makeShapes(films.slice(0, films.lastIndexOf('\n') + 1)))) {
    const times = Array.from({ length: RUNS }, () => {
      const scanner = createCsvScanner()
      const start = performance.now()
      for (let at = 0; at < text.length; at += PIECE_BYTES) scanner.update(text.subarray(at, at + PIECE_BYTES))
      scanner.end()
      return performance.now() - start
    })
    const median = times.sort((a, b) => a - b)[RUNS >> 1] ?? 0
    if (plain === 0) plain = median
    process.stdout.write(
      `${shape.padEnd(32)} ${((median / plain) * (SHAPE_BYTES / text.length)).toFixed(1)} × plain text\n`,
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
    writeFilms(path, PIECE_BYTES)
    compareShapes(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

void main()
