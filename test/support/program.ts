/** Runs the real program, bundled as it is shipped, and sees what its caller sees. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import Ajv2020 from 'ajv/dist/2020'
import type { FileReport } from '../../src/report/file-report'
import { makeTempFolder } from './temp-folder'

export const ROOT = resolve(__dirname, '..', '..')

/** The key id is s3rver's; the secrets are distinctive, so that a leak shows, and hard to pass through. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 's3cr+t/never=printed$#00000000000000000',
  AWS_SESSION_TOKEN: 't0ken+never/printed==',
} as const

/** For the environment of a run that is to find its credentials elsewhere, or nowhere. */
export const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
} as const

/** `NODE_OPTIONS` for a run before which scripts of this folder are loaded. */
export function preload(...names: readonly string[]): string {
  return names.map(name => `--require ${resolve(__dirname, `${name}.cjs`)}`).join(' ')
}

/** For the environment of a run that need not sit through its own timeouts. */
export const FAST_CLOCK = { NODE_OPTIONS: preload('fast-clock') } as const

type Variables = Readonly<Record<string, string | undefined>>

interface Options {
  readonly args?: readonly string[]
  readonly cwd?: string
  /** The user to run as. */
  readonly uid?: number
  /** Where stdout goes; what is written there is not seen. */
  readonly stdout?: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a run with `--json` told. */
export interface Told extends Ended {
  readonly events: readonly Record<string, unknown>[]
  /** The last event. */
  readonly summary: Record<string, unknown>
  /** What the summary says of each file. */
  readonly files: readonly FileReport[]
  /** The first of them. */
  readonly file: FileReport | undefined
  /** Of each file its name, and the code of its failure or its outcome: `a.csv uploaded`. */
  readonly ends: readonly string[]
}

let bundle: string | undefined

/** The file that `npm run build` makes, made anew for this test process. */
function buildProgram(): string {
  if (bundle === undefined) {
    bundle = `${makeTempFolder()}/main.js`
    execFileSync('npm', ['run', '--silent', 'build', '--', `--outfile=${bundle}`, '--log-level=error'], {
      cwd: ROOT,
      shell: process.platform === 'win32',
    })
    execFileSync('chmod', ['-R', 'a+rX', resolve(bundle, '..')])
  }
  return bundle
}

/**
 * Starts the program with nothing but `env` in its environment, in an empty working folder: what the developer who
 * runs the tests has in `.env` or in a profile does not reach it.
 */
export function startProgram(
  env: Variables,
  { args = [], cwd, uid, stdout: target }: Options = {},
): ChildProcess & { ended: Promise<Ended> } {
  const home = makeTempFolder()
  const child = spawn(process.execPath, [buildProgram(), ...args], {
    cwd: cwd ?? home,
    env: { HOME: home, AWS_EC2_METADATA_DISABLED: 'true', TZ: 'UTC', ...CREDENTIALS, ...env },
    stdio: ['ignore', target === undefined ? 'pipe' : openSync(target, 'w'), 'pipe'],
    ...(uid === undefined ? {} : { uid }),
  })
  const isJson = args.includes('--json') || env['LOG_FORMAT'] === 'json'
  const ended = Promise.all([
    once(child, 'close'),
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
  ]).then(([[code], stdout, stderr]) => {
    const { AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: token } = { ...CREDENTIALS, ...env }
    const printed = `${stdout}${stderr}`
    for (const secret of [key, token]) {
      const isShown = secret && [secret, encodeURIComponent(secret)].some(form => printed.includes(form))
      assert.ok(!isShown, `a secret was printed: ${printed}`)
    }
    assert.doesNotMatch(printed, /Signature=[0-9a-f]/)
    if (isJson && target === undefined) parseEvents(stdout)
    return { code, stdout, stderr }
  })
  return Object.assign(child, { ended })
}

export function runProgram(env: Variables, options?: Options): Promise<Ended> {
  return startProgram(env, options).ended
}

export function startJson(
  env: Variables,
  { args = [], ...others }: Options = {},
): ChildProcess & { ended: Promise<Told> } {
  const program = startProgram(env, { args: ['--json', ...args], ...others })
  return Object.assign(program, { ended: program.ended.then(readEvents) })
}

export function runJson(env: Variables, options?: Options): Promise<Told> {
  return startJson(env, options).ended
}

/** A run with `--json` that must end long before a socket on which nothing moves is given up, which takes 60 s. */
export async function runBriefly(env: Variables): Promise<Told> {
  const program = startJson(env)
  const limit = setTimeout(() => program.kill('SIGKILL'), 30_000)
  const [ended] = await Promise.allSettled([program.ended])
  clearTimeout(limit)
  assert.equal(program.signalCode, null, 'the program is still there after 30 s')
  if (ended.status === 'rejected') throw ended.reason
  return ended.value
}

const ajv = new Ajv2020({ strict: true })
ajv.addSchema(JSON.parse(readFileSync(resolve(ROOT, 'docs', 'events.schema.json'), 'utf8')), 'events')
const isEvent = ajv.compile({ $ref: 'events' })
const isManifest = ajv.compile({ type: 'object', $ref: 'events#/$defs/summary', unevaluatedProperties: false })

/** The events of a run with `--json`: every line of stdout must be one, as the schema has them, and the summary the last. */
export function parseEvents(stdout: string): Record<string, unknown>[] {
  const events = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  for (const event of events) assert.ok(isEvent(event), `${JSON.stringify(event)}: ${JSON.stringify(isEvent.errors)}`)
  assert.equal(events.at(-1).event, 'summary')
  return events
}

/** The content of a manifest, which must be a summary as the schema has it. */
export function parseManifest(body: Buffer): Record<string, unknown> & { readonly files: readonly FileReport[] } {
  const manifest = JSON.parse(body.toString())
  assert.ok(isManifest(manifest), JSON.stringify(isManifest.errors))
  return manifest as ReturnType<typeof parseManifest>
}

function readEvents(ended: Ended): Told {
  const events = parseEvents(ended.stdout)
  const summary = events.at(-1) ?? {}
  const files = summary['files'] as readonly FileReport[]
  const ends = files.map(({ file, outcome, error }) => `${file} ${error?.code ?? outcome}`)
  return { ...ended, events, summary, files, file: files[0], ends }
}
