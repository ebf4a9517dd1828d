/** How far a step has come that goes through all files: what a terminal shows live, and a log now and then. */

import { countOf, formatBytes, formatSeconds } from '../lib/text'
import type { Tally } from '../s3/request'

/** One file on its way through the steps. */
export interface Job {
  readonly file: { readonly name: string; readonly size: number }
  readonly tally: Tally
}

export interface Progress {
  readonly verb: 'Reading' | 'Uploading'
  readonly jobs: readonly Job[]
  readonly active: Set<Job>
  readonly ended: Set<Job>
  /** As `performance.now()` had it. */
  readonly begun: number
}

export function startProgress(verb: Progress['verb'], jobs: readonly Job[]): Progress {
  return { verb, jobs, active: new Set(), ended: new Set(), begun: performance.now() }
}

/** Such as `Uploading: 3 of 10 files, 1.2 GiB of 20.0 GiB, 310.0 MiB/s, 1 min left`. */
export function describeProgress(progress: Progress, now: number): string {
  const { verb, jobs, ended } = progress
  const bytes = sum(jobs, job => job.file.size)
  const done = sum(jobs, job => (ended.has(job) ? job.file.size : movedOf(progress, job)))
  // What was there already took no time to send: it is done, and says nothing of the rate.
  const rate = sum(jobs, job => movedOf(progress, job)) / Math.max((now - progress.begun) / 1000, 0.001)
  const line = `${verb}: ${ended.size} of ${countOf(jobs.length, 'file')}, ${formatBytes(done)} of ${formatBytes(bytes)}`
  if (rate === 0 || done >= bytes) return line
  return `${line}, ${formatBytes(rate)}/s, ${formatSeconds((bytes - done) / rate)} left`
}

/** A line for each file under way: how much of it is done, and its name. */
export function listActive(progress: Progress): readonly string[] {
  return [...progress.active].map(job => {
    const { name, size } = job.file
    const percent = size === 0 ? 100 : Math.floor((movedOf(progress, job) / size) * 100)
    return `${percent.toString().padStart(3)} %  ${formatBytes(size).padStart(10)}  ${name}`
  })
}

/** Bytes of the file so far; what had to be sent twice counts once. */
function movedOf({ verb }: Progress, { file, tally }: Job): number {
  return Math.min(verb === 'Reading' ? tally.bytesRead : tally.bytesSent, file.size)
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
