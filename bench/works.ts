/** What is uploaded, and by whom. */
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { writeFilms } from './films'
import { BARE_NODE, IMAGE_OPTIONS, ourselves, PEERS, type Uploader } from './uploaders'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

export interface Work {
  readonly name: string
  readonly title: string
  /** Sizes by name. */
  readonly files: Readonly<Record<string, number>>
  readonly uploaders: readonly Uploader[]
  /** Measured near by, and only when it is asked for by its name. */
  readonly special?: boolean
  /** The files are holes: they take no room on the disk. */
  readonly sparse?: boolean
  /** What was uploaded stays for the next run. */
  readonly again?: boolean
}

export const OURS = ourselves('this program')
const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`film-${index}.csv`, 12_000]))
const CHECKS = ['off', 'strict'].map(check => ourselves(`CSV_CHECK=${check}`, { CSV_CHECK: check }))
/** Of interest for their memory. */
const FRUGAL = [
  ourselves('in the image', {}, IMAGE_OPTIONS),
  OURS,
  ourselves('MAX_MEMORY=16MiB', { MAX_MEMORY: '16MiB' }, IMAGE_OPTIONS),
]

export const WORKS: readonly Work[] = [
  { name: '1GiB', title: 'one file of 1 GiB', files: { 'films.csv': GIB }, uploaders: [OURS, ...PEERS] },
  {
    name: 'two',
    title: '170 MiB and 80 MiB',
    files: { 'movies.csv': 170 * MIB, 'series.csv': 80 * MIB },
    uploaders: [OURS, ...PEERS],
  },
  { name: 'many', title: '2,000 files of 12 KB', files: many, uploaders: [OURS, ...PEERS] },
  {
    name: 'tiny',
    title: 'two files of a few bytes',
    files: { 'movies.csv': 100, 'series.csv': 100 },
    uploaders: [OURS, ...PEERS, BARE_NODE],
  },
  { name: 'again', title: 'the same 2,000 files again', files: many, uploaders: [OURS], special: true, again: true },
  {
    name: 'checks',
    title: 'one file of 1 GiB, by CSV_CHECK',
    files: { 'films.csv': GIB },
    uploaders: [OURS, ...CHECKS],
    special: true,
  },
  {
    name: 'memory',
    title: 'one file of 1 GiB, by memory',
    files: { 'films.csv': GIB },
    uploaders: FRUGAL,
    special: true,
  },
  {
    name: '20GiB',
    title: 'one file of 20 GiB',
    files: { 'films.csv': 20 * GIB },
    uploaders: FRUGAL,
    special: true,
    sparse: true,
  },
]

/** Makes the files of a work in a new folder. */
export function makeFiles(folder: string, { files, sparse }: Work): void {
  mkdirSync(folder)
  for (const [name, bytes] of Object.entries(files)) {
    if (sparse !== true) {
      writeFilms(join(folder, name), bytes)
      continue
    }
    const file = openSync(join(folder, name), 'w')
    ftruncateSync(file, bytes)
    closeSync(file)
  }
}
