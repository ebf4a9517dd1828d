/** Runs the shell lines of a document with stand-ins for the commands that they call. */
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { makeTempFolder } from '../support/temp-folder'

type Variables = Readonly<Record<string, string>>

/** How a script is run: as a file, or as containers and GitHub's runners have it. */
type Flags = '-c' | '-euc'

interface Options {
  readonly env?: Variables
  readonly args?: readonly string[]
  readonly input?: string
  /** The working folder; a fresh one if none is given. */
  readonly cwd?: string
}

/** @param stubs each is the body of a shell script that stands in for the command of that name */
export function runShell(flags: Flags, script: string, stubs: Variables, { env, args = [], input, cwd }: Options = {}) {
  const bin = makeTempFolder()
  for (const [name, body] of Object.entries(stubs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const { status, stdout, stderr } = spawnSync('sh', [flags, script, 'sh', ...args], {
    cwd: cwd ?? bin,
    env: { PATH: [bin, '/usr/bin', '/bin'].join(delimiter), ...env },
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  })
  return { status, stdout, lines: stdout.split('\n').filter(line => line !== ''), stderr }
}
