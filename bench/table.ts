/** What the bench found: as JSON for a program, as Markdown for a person. */

/** Medians of one uploader's runs of one work. */
export interface Row {
  readonly scenario: string
  readonly work: string
  readonly title: string
  readonly uploader: string
  /** Seconds of each run. */
  readonly walls: readonly number[]
  readonly wall: number
  readonly cpu: number
  /** MiB. */
  readonly memory: number
  readonly read: number
  /** MiB from the slow disk. */
  readonly diskRead?: number
  readonly requests: number
  readonly connections: number
  readonly sinkCpu: number
  readonly proxyCpu?: number
  /** Our median divided by this one's. */
  readonly wallRatio: number
  readonly cpuRatio: number
  /** What is measured beside the uploader: the sink, the proxy, or all cores of the machine. */
  readonly limits: readonly string[]
}

export interface Results {
  readonly node: string
  readonly cores: number
  readonly sink: string
  readonly conditions: Readonly<Record<string, string>>
  /** Versions by name; `null` for one that is absent. */
  readonly uploaders: Readonly<Record<string, string | null>>
  readonly rows: readonly Row[]
}

/** One process on one core is taken for a limit from this share of the wall clock on, and so are all cores together. */
const BUSY = 0.8

/** Who may be what a row measures, beside the uploader. */
export function findLimits(row: Pick<Row, 'wall' | 'cpu' | 'sinkCpu' | 'proxyCpu'>, cores: number): string[] {
  const { wall, cpu, sinkCpu, proxyCpu = 0 } = row
  const limits: string[] = []
  if (sinkCpu > BUSY * wall) limits.push('sink')
  if (proxyCpu > BUSY * wall) limits.push('proxy')
  if (cpu + sinkCpu + proxyCpu > BUSY * cores * wall) limits.push('cores')
  return limits
}

/** The table of one work in one scenario. */
export function printTable(rows: readonly Row[]): string {
  const [first] = rows
  if (first === undefined) return ''
  const columns: [string, (row: Row) => string | number][] = [
    ['uploader', row => row.uploader],
    ['wall s', row => row.wall.toFixed(2)],
    ['our wall ÷ its', row => row.wallRatio.toFixed(2)],
    ['CPU s', row => row.cpu.toFixed(2)],
    ['our CPU ÷ its', row => (Number.isFinite(row.cpuRatio) ? row.cpuRatio.toFixed(2) : '')],
    ['peak MiB', row => row.memory.toFixed(0)],
    ['MiB read', row => row.read.toFixed(0)],
    ...(first.diskRead === undefined
      ? []
      : [['MiB from the disk', (row: Row) => (row.diskRead ?? 0).toFixed(0)] satisfies [string, (row: Row) => string]]),
    ['requests', row => row.requests],
    ['connections', row => row.connections],
    ["sink's CPU s", row => row.sinkCpu.toFixed(2)],
    ...(first.proxyCpu === undefined
      ? []
      : [["proxy's CPU s", (row: Row) => (row.proxyCpu ?? 0).toFixed(2)] satisfies [string, (row: Row) => string]]),
  ]
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  return [
    `\n### ${first.scenario}: ${first.title} (medians of ${first.walls.length})\n`,
    line(columns.map(([name]) => name)),
    line(columns.map((_, index) => (index === 0 ? '---' : '--:'))),
    ...rows.map(row => line(columns.map(([, cell]) => cell(row)))),
    ...warn(rows),
  ].join('\n')
}

const MEANINGS: Readonly<Record<string, string>> = {
  sink: 'the sink was busy for most of the time: a faster server would give a shorter time',
  proxy: 'the proxy was busy for most of the time: it may hold the uploader back',
  cores: 'the cores were busy for most of the time: the uploader shares them with the sink, which users do not',
}

function warn(rows: readonly Row[]): string[] {
  return Object.entries(MEANINGS).flatMap(([limit, meaning]) => {
    const names = rows.filter(row => row.limits.includes(limit)).map(row => row.uploader)
    return names.length === 0 ? [] : [`\nWarning for ${names.join(', ')}: ${meaning}.`]
  })
}
