/** How the bench talks to a server that it started: one line of JSON on stdout for the port, then one for each line on stdin. */
import { createInterface } from 'node:readline'

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

/** Says the port, then answers every line of stdin. Ends the process when stdin ends. */
export function answerLines(port: number, answer: (line: string) => unknown): void {
  say({ port })
  createInterface(process.stdin)
    .on('line', line => say(answer(line)))
    .on('close', () => process.exit())
}

/** Each call returns the seconds of user and system time since the call before. */
export function createCpuMeter(): () => number {
  let before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    return (user + system) / 1e6
  }
}
