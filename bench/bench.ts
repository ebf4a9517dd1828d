/**
 * Times this program against every peer that is on this machine, each as a whole process, in turn, over TLS into a sink:
 * `npm run bench`, or `npm run bench -- 1GiB tiny` for some of the work.
 */
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeFilms } from './films'
import { type Command, type Cost, measure, medianOf } from './measure'
import type { Seen } from './sink'
import { findVersion, IMAGE_OPTIONS, type Job, ourselves, PEERS, type Uploader } from './uploaders'

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB
const RUNS = 5

interface Work {
  readonly name: string
  readonly title: string
  /** Sizes by name. */
  readonly files: Readonly<Record<string, number>>
  readonly uploaders: readonly Uploader[]
  readonly runs: number
  /** The files are holes: they take no room on the disk. */
  readonly sparse?: boolean
  /** What was uploaded stays for the next run. */
  readonly again?: boolean
}

const OURS = ourselves('this program')
/** Of interest for their memory. */
const FRUGAL = [
  ourselves('in the image', {}, IMAGE_OPTIONS),
  OURS,
  ourselves('MAX_MEMORY=16MiB', { MAX_MEMORY: '16MiB' }, IMAGE_OPTIONS),
]
const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`film-${index}.csv`, 12_000]))
const BARE_NODE: Uploader = {
  name: 'bare node',
  version: [process.execPath, '--version'],
  command: () => ({ argv: [process.execPath, '-e', '0'], env: {} }),
}

const WORKS: readonly Work[] = [
  {
    name: '1GiB',
    title: 'one file of 1 GiB',
    files: { 'films.csv': GIB },
    uploaders: [OURS, ourselves('CSV_CHECK=off', { CSV_CHECK: 'off' }), ...PEERS],
    runs: RUNS,
  },
  {
    name: 'two',
    title: 'movies.csv of 170 MiB and series.csv of 80 MiB',
    files: { 'movies.csv': 170 * MIB, 'series.csv': 80 * MIB },
    uploaders: [OURS, ...PEERS],
    runs: RUNS,
  },
  {
    name: 'tiny',
    title: 'two files of a few bytes',
    files: { 'movies.csv': 100, 'series.csv': 100 },
    uploaders: [OURS, ...PEERS, BARE_NODE],
    runs: RUNS,
  },
  { name: 'many', title: '2,000 files of 12 KB', files: many, uploaders: [OURS, ...PEERS], runs: RUNS },
  {
    name: 'again',
    title: 'the same 2,000 files again',
    files: many,
    uploaders: [OURS],
    runs: RUNS,
    again: true,
  },
  { name: 'memory', title: 'one file of 1 GiB', files: { 'films.csv': GIB }, uploaders: FRUGAL, runs: 3 },
  {
    name: '20GiB',
    title: 'one file of 20 GiB',
    files: { 'films.csv': 20 * GIB },
    uploaders: FRUGAL,
    runs: 1,
    sparse: true,
  },
]

/** The sink in a process of its own, and how to ask it. */
async function startSink(folder: string) {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'ignore' },
  )
  // Built, and without the TypeScript compiler in its heap, whose garbage collection would take a third of its time.
  const sink = fork(join(__dirname, '..', 'dist', 'sink.js'), [key, certificate], { execArgv: [] })
  const [{ port }] = await once(sink, 'message')
  const ask = async (message: 'forget' | 'report'): Promise<Seen> => {
    sink.send(message)
    const [seen] = await once(sink, 'message')
    return seen
  }
  return { endpoint: `https://localhost:${port}`, certificate, ask, stop: () => sink.disconnect() }
}

function makeFiles(folder: string, { files, sparse }: Work): void {
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

interface Result {
  readonly name: string
  readonly command: Command
  readonly costs: Cost[]
  seen: Seen | undefined
}

function print({ title, runs }: Work, results: readonly Result[]): void {
  const [ours] = results
  if (ours === undefined) return
  const own = medianOf(ours.costs)
  console.log(`\n${title} (medians of ${runs})\n`)
  console.log('| uploader | wall s | CPU s | MiB | our wall ÷ its | our CPU ÷ its | requests | connections |')
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const { name, costs, seen } of results) {
    const { wall, cpu, memory } = medianOf(costs)
    const ratios = name === ours.name ? ['1', '1'] : [(own.wall / wall).toFixed(2), (own.cpu / cpu).toFixed(2)]
    const requests = Object.values(seen?.requests ?? {}).reduce((sum, count) => sum + count, 0)
    const cells = [name, wall.toFixed(2), cpu.toFixed(2), memory.toFixed(0), ...ratios, requests, seen?.connections]
    console.log(`| ${cells.join(' | ')} |`)
  }
}

async function main(): Promise<void> {
  const chosen = process.argv.slice(2)
  const root = mkdtempSync(join(tmpdir(), 'bench-'))
  const sink = await startSink(root)
  try {
    console.log(`node: ${process.version}`)
    const present = new Set<string>()
    for (const peer of [OURS, ...PEERS]) {
      const version = findVersion(peer)
      console.log(`${peer.name}: ${version ?? 'absent'}`)
      if (version !== undefined) present.add(peer.name)
    }
    for (const work of WORKS.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
      const folder = join(root, work.name)
      makeFiles(folder, work)
      const job: Job = { folder, files: Object.keys(work.files), ...sink }
      const results = work.uploaders.flatMap(({ name, command }): Result[] => {
        const isAbsent = PEERS.some(peer => peer.name === name) && !present.has(name)
        const made = isAbsent ? undefined : command(job)
        return made === undefined ? [] : [{ name, command: made, costs: [], seen: undefined }]
      })
      await sink.ask('forget')
      if (work.again === true) for (const { command } of results) await measure(command, root)
      for (let run = 0; run < work.runs; run += 1) {
        for (const result of results) {
          await sink.ask(work.again === true ? 'report' : 'forget')
          result.costs.push(await measure(result.command, root))
          result.seen = await sink.ask('report')
        }
      }
      print(work, results)
      rmSync(folder, { recursive: true })
    }
  } finally {
    sink.stop()
    rmSync(root, { recursive: true })
  }
}

void main()
