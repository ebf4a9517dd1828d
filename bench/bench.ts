/**
 * Times this program against every peer that is on this machine, each as a whole process, in turn, over TLS into a sink.
 * docs/speed.md says what is measured and how it is asked for.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Command, type Cost, measure, median } from './measure'
import { type Seen, startProxy, startSink } from './servers'
import { createSlowDisk, dropFromCache, type SlowDisk } from './slow-disk'
import { findLimits, printTable, type Results, type Row } from './table'
import { CAT, findVersion, type Job, ourselves, PEERS, type Uploader } from './uploaders'
import { makeFiles, OURS, WORKS, type Work } from './works'

const MIB = 1024 * 1024
const ROUND_TRIP_MS = 30
const CONNECTION_BYTES_PER_SECOND = 60e6
/** What a general purpose volume gives by default: docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html. */
const DISK_BYTES_PER_SECOND = 125 * MIB
const MEMORY_BYTES = 400 * MIB
const CONDITIONS = {
  near: 'the loopback interface, files in the page cache',
  far: `${ROUND_TRIP_MS} ms round trip, ${CONNECTION_BYTES_PER_SECOND / 1e6} MB/s a connection, files in the page cache`,
  disk: `a disk of ${DISK_BYTES_PER_SECOND / MIB} MiB/s, ${MEMORY_BYTES / MIB} MiB of memory with the page cache, files not in it, the loopback interface`,
}
type Scenario = keyof typeof CONDITIONS
const SCENARIOS: readonly Scenario[] = ['near', 'far', 'disk']
const RUNS: Readonly<Record<Scenario, number>> = { near: 5, far: 3, disk: 3 }

/** One run of one uploader. */
interface Run extends Cost {
  readonly seen: Seen
  readonly proxyCpu: number | undefined
  readonly diskRead: number | undefined
}

interface Contender {
  readonly name: string
  readonly command: Command
  readonly runs: Run[]
}

function readArguments() {
  const options = { base: { type: 'string' }, json: { type: 'string' }, runs: { type: 'string' } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const take = <T extends string>(known: readonly T[]) => known.filter(name => positionals.includes(name))
  const [scenarios, works] = [take(SCENARIOS), take(WORKS.map(({ name }) => name))]
  const peers = take(PEERS.map(({ name }) => name))
  const known: readonly string[] = [...scenarios, ...works, ...peers]
  const unknown = positionals.filter(word => !known.includes(word))
  if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. docs/speed.md has the words.`)
  return {
    ...values,
    scenarios: scenarios.length === 0 ? SCENARIOS : scenarios,
    works: WORKS.filter(({ name, special }) => (works.length === 0 ? special !== true : works.includes(name))),
    peers,
  }
}

function toRow(scenario: Scenario, work: Work, contender: Contender, ours: Contender): Row {
  const of = (runs: readonly Run[], figure: (run: Run) => number) => median(runs.map(figure))
  const { name, runs } = contender
  const [wall, cpu] = [of(runs, run => run.wall), of(runs, run => run.cpu)]
  const figures = {
    wall,
    cpu,
    sinkCpu: of(runs, run => run.seen.cpu),
    ...(scenario === 'far' ? { proxyCpu: of(runs, run => run.proxyCpu ?? 0) } : {}),
  }
  return {
    scenario,
    work: work.name,
    title: work.title,
    uploader: name,
    walls: runs.map(run => run.wall),
    ...figures,
    memory: of(runs, run => run.memory),
    read: of(runs, run => run.read),
    ...(scenario === 'disk' ? { diskRead: of(runs, run => run.diskRead ?? 0) } : {}),
    requests: of(runs, run => Object.values(run.seen.requests).reduce((sum, count) => sum + count, 0)),
    connections: of(runs, run => run.seen.connections),
    wallRatio: of(ours.runs, run => run.wall) / wall,
    cpuRatio: of(ours.runs, run => run.cpu) / cpu,
    limits: findLimits(figures, availableParallelism()),
  }
}

async function main(): Promise<void> {
  const { base, json, runs, scenarios, works, peers } = readArguments()
  const root = mkdtempSync(join(tmpdir(), 'bench-'))
  const sink = await startSink(root)
  const proxy = await startProxy(sink.port, ROUND_TRIP_MS, CONNECTION_BYTES_PER_SECOND)
  let slowDisk: SlowDisk | string | undefined
  try {
    const before = base === undefined ? [] : [ourselves('base', {}, [], base)]
    const versions = new Map([...before, OURS, ...PEERS].map(peer => [peer.name, findVersion(peer)]))
    const rows: Row[] = []
    const results: Results = {
      node: process.version,
      cores: availableParallelism(),
      sink: sink.kind,
      conditions: CONDITIONS,
      uploaders: Object.fromEntries([...versions].map(([name, version]) => [name, version ?? null])),
      rows,
    }
    console.log(`- node: ${results.node}, ${results.cores} cores\n- sink: ${results.sink}`)
    for (const [name, version] of versions) console.log(`- ${name}: ${version ?? 'absent'}`)
    for (const scenario of scenarios) console.log(`- ${scenario}: ${CONDITIONS[scenario]}`)

    const isWanted = ({ name }: Uploader) => {
      const isPeer = PEERS.some(peer => peer.name === name)
      return !isPeer || (versions.get(name) !== undefined && (peers.length === 0 || peers.includes(name)))
    }
    const runOnce = async (scenario: Scenario, { command }: Contender, work: Work, folder: string): Promise<Run> => {
      const disk = scenario === 'disk' && typeof slowDisk === 'object' ? slowDisk : undefined
      if (disk !== undefined) dropFromCache(folder)
      await sink.ask(work.again === true ? 'report' : 'forget')
      await proxy.ask('report')
      const readBefore = disk?.readBytes() ?? 0
      const cost = await measure(command, root, disk?.enter)
      const diskRead = disk === undefined ? undefined : (disk.readBytes() - readBefore) / MIB
      return { ...cost, seen: await sink.ask('report'), proxyCpu: (await proxy.ask('report')).cpu, diskRead }
    }

    for (const work of works) {
      const folder = join(root, work.name)
      makeFiles(folder, work)
      for (const scenario of scenarios) {
        if (work.special === true && scenario !== 'near') continue
        if (scenario === 'disk') {
          slowDisk ??= createSlowDisk(root, DISK_BYTES_PER_SECOND, MEMORY_BYTES)
          if (typeof slowDisk === 'string') {
            console.log(`\n### disk: ${work.title}\n\nSkipped: ${slowDisk}.`)
            continue
          }
        }
        const port = scenario === 'far' ? proxy.port : sink.port
        const { certificate } = sink
        const job: Job = { folder, files: Object.keys(work.files), endpoint: `https://localhost:${port}`, certificate }
        const [ours = OURS, ...others] = work.uploaders
        const uploaders = [ours, ...before, ...others, ...(scenario === 'disk' ? [CAT] : [])].filter(isWanted)
        const contenders = uploaders.flatMap(({ name, command }): Contender[] => {
          const made = command(job)
          return made === undefined ? [] : [{ name, command: made, runs: [] }]
        })
        if (work.again === true) for (const contender of contenders) await runOnce(scenario, contender, work, folder)
        for (let run = 0; run < Number(runs ?? (work.sparse === true ? 1 : RUNS[scenario])); run += 1) {
          for (const contender of contenders) contender.runs.push(await runOnce(scenario, contender, work, folder))
        }
        const [first] = contenders
        if (first === undefined) continue
        const found = contenders.map(contender => toRow(scenario, work, contender, first))
        rows.push(...found)
        console.log(printTable(found))
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`)
      }
      rmSync(folder, { recursive: true })
    }
  } finally {
    sink.stop()
    proxy.stop()
    if (typeof slowDisk === 'object') slowDisk.remove()
    rmSync(root, { recursive: true })
  }
}

void main()
