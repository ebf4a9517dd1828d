/** How far a step has come that goes through all files: what a terminal shows live, and a log now and then. */
import { countOf, formatBytes, formatSeconds } from '../lib/text'
import type { FileRun } from './file-report'

export interface Progress {
  /** `Checking` reads all files before anything is sent. */
  readonly verb: 'Checking' | 'Uploading'
  readonly runs: readonly FileRun[]
  /** As `performance.now()` had it. */
  readonly begun: number
}

/** How far all files together have come. */
export function measureProgress(progress: Progress) {
  const { runs } = progress
  return {
    files: runs.length,
    filesDone: runs.filter(run => hasEnded(progress, run)).length,
    bytes: sum(runs, ({ file }) => file.size),
    bytesDone: sum(runs, run => (hasEnded(progress, run) ? run.file.size : bytesOf(progress, run))),
  }
}

/** Such as `Uploading: 3 of 10 files, 1.2 GiB of 20.0 GiB, 310.0 MiB/s, 1 min left`. */
export function describeProgress(progress: Progress, now: number): string {
  const { verb, runs, begun } = progress
  const { files, filesDone, bytes, bytesDone } = measureProgress(progress)
  // What was there already took no time to send: it is done, and says nothing of the rate.
  const rate = sum(runs, run => bytesOf(progress, run)) / Math.max((now - begun) / 1000, 0.001)
  const line = `${verb}: ${filesDone} of ${countOf(files, 'file')}, ${formatBytes(bytesDone)} of ${formatBytes(bytes)}`
  if (rate === 0 || bytesDone >= bytes) return line
  return `${line}, ${formatBytes(rate)}/s, ${formatSeconds((bytes - bytesDone) / rate)} left`
}

/** A line for each file under way: how much of it is done, and its name. */
export function listActive(progress: Progress): readonly string[] {
  const active = progress.runs.filter(run => run.begun !== undefined && !hasEnded(progress, run))
  return active.map(run => {
    const { name, size } = run.file
    const percent = size === 0 ? 100 : Math.floor((bytesOf(progress, run) / size) * 100)
    return `${percent.toString().padStart(3)} %  ${formatBytes(size).padStart(10)}  ${name}`
  })
}

function hasEnded({ verb }: Progress, { csv, put }: FileRun): boolean {
  return put !== undefined || (verb === 'Checking' && csv !== undefined)
}

/** Bytes of the file so far: read, or acknowledged by the server. What left the socket may not have arrived. */
function bytesOf({ verb }: Progress, { file, stats }: FileRun): number {
  return Math.min(verb === 'Checking' ? stats.bytesRead : stats.bytesLanded, file.size)
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
