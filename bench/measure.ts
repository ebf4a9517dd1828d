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
  /** MiB, at the peak. */
  readonly memory: number
}

/** Runs `command` to its end, with nothing in its environment but what it names and `PATH`. */
export async function measure({ argv, env }: Command, folder: string): Promise<Cost> {
  const figures = join(folder, 'time')
  const child = spawn('/usr/bin/time', ['-f', '%e %U %S %M', '-o', figures, ...argv], {
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const begun = performance.now()
  const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
  const wall = (performance.now() - begun) / 1000
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${out}${err}`)
  const [, user = 0, system = 0, kib = 0] = readFileSync(figures, 'utf8').trim().split(' ').map(Number)
  return { wall, cpu: user + system, memory: kib / 1024 }
}

/** The median of each figure by itself. */
export function medianOf(costs: readonly Cost[]): Cost {
  const middle = (figure: keyof Cost) => costs.map(cost => cost[figure]).sort((a, b) => a - b)[costs.length >> 1] ?? 0
  return { wall: middle('wall'), cpu: middle('cpu'), memory: middle('memory') }
}
