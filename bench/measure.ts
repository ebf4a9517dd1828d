/** What a command costs as a whole process, as the operating system counts it. Needs GNU time. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export interface Command {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface Cost {
  /** Seconds. */
  readonly wall: number
  /** Seconds of user and system time. */
  readonly cpu: number
  /** MiB, at the peak, of the largest process. */
  readonly memory: number
  /** MiB that the processes asked the system for by read(): files, programs, and some of what came over the network. */
  readonly read: number
}

/**
 * Runs `command` to its end, with nothing in its environment except what it names and `PATH`.
 * @param enter shell commands that come first, in the process that becomes the parent of `command`
 */
export async function measure({ argv, env }: Command, folder: string, enter = ''): Promise<Cost> {
  const [times, io] = [join(folder, 'time'), join(folder, 'io')]
  // The shell has waited for the command when it reads its own counters: they then hold what its children read, too.
  const script = `${enter} /usr/bin/time -f '%U %S %M' -o ${times} "$@"; code=$?; cat /proc/$$/io >${io}; exit $code`
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...argv], {
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const begun = performance.now()
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  const wall = (performance.now() - begun) / 1000
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${out}${err}`)
  const [user = 0, system = 0, kib = 0] = readFileSync(times, 'utf8').trim().split(' ').map(Number)
  const read = Number(/^rchar: (\d+)/m.exec(readFileSync(io, 'utf8'))?.[1])
  return { wall, cpu: user + system, memory: kib / 1024, read: read / 1024 / 1024 }
}

/** The median of numbers, the upper one of two. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0
}
