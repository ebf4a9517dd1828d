/** A disk of bounded speed and a bounded memory, page cache included, for the processes of one control group. */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface SlowDisk {
  /** Shell commands by which a shell enters the control group. */
  readonly enter: string
  /** Bytes that the group has read from the disk so far. */
  readBytes(): number
  remove(): void
}

const ROOT = '/sys/fs/cgroup'

/**
 * Bounds reads from the disk of `folder`, by cgroup v1 or v2. Needs root.
 * @returns why it cannot be had, if it cannot
 */
export function createSlowDisk(folder: string, bytesPerSecond: number, memoryBytes: number): SlowDisk | string {
  const disk = findDisk(folder)
  if (disk === undefined) return `${folder} is on no block device (set TMPDIR to a folder on one)`
  const name = `bench-${process.pid}`
  const isV2 = existsSync(join(ROOT, 'cgroup.controllers'))
  const groups = isV2 ? [join(ROOT, name)] : [join(ROOT, 'blkio', name), join(ROOT, 'memory', name)]
  const [io = '', memory = io] = groups
  const remove = () => {
    for (const group of groups) if (existsSync(group)) rmdirSync(group)
  }
  try {
    if (isV2) writeFileSync(join(ROOT, 'cgroup.subtree_control'), '+io +memory')
    for (const group of groups) mkdirSync(group)
    if (isV2) {
      writeFileSync(join(io, 'io.max'), `${disk} rbps=${bytesPerSecond}`)
      writeFileSync(join(io, 'memory.max'), String(memoryBytes))
    } else {
      writeFileSync(join(io, 'blkio.throttle.read_bps_device'), `${disk} ${bytesPerSecond}`)
      writeFileSync(join(memory, 'memory.limit_in_bytes'), String(memoryBytes))
    }
  } catch (error) {
    remove()
    return `control groups cannot be made: ${error instanceof Error ? error.message : error}`
  }
  const [counter, pattern] = isV2
    ? [join(io, 'io.stat'), new RegExp(`^${disk} .*rbytes=(\\d+)`, 'm')]
    : [join(io, 'blkio.throttle.io_service_bytes'), new RegExp(`^${disk} Read (\\d+)`, 'm')]
  return {
    enter: groups.map(group => `echo $$ >${group}/cgroup.procs;`).join(' '),
    readBytes: () => Number(pattern.exec(readFileSync(counter, 'utf8'))?.[1] ?? 0),
    remove,
  }
}

/** The disk of `folder` as `MAJOR:MINOR`. Limits are set for whole disks, so a partition gives its disk. */
function findDisk(folder: string): string | undefined {
  const { dev } = statSync(folder)
  const device = `/sys/dev/block/${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`
  if (!existsSync(device)) return undefined
  const own = realpathSync(device)
  const disk = existsSync(join(own, 'partition')) ? dirname(own) : own
  return basename(dirname(disk)) === 'block' ? readFileSync(join(disk, 'dev'), 'utf8').trim() : undefined
}

/**
 * Takes the files of a folder out of the page cache. What the uploaders are made of stays in it: starting them from a
 * cold disk would cost a second, which is not what is measured.
 */
export function dropFromCache(folder: string): void {
  execFileSync('sync')
  const inputs = readdirSync(folder).map(name => join(folder, name))
  const script = 'for file; do dd if="$file" iflag=nocache count=0 status=none; done'
  execFileSync('sh', ['-c', script, 'sh', ...inputs])
}
