/** What a run was asked to do, read from this process: arguments, environment and `.env`. */
import { config as readDotenv } from 'dotenv'
import type { CsvCheck } from '../csv/check-csv'
import type { Shard } from '../csv/shard'
import { ConfigFailure } from '../errors'
import type { Layout } from '../key/build-key'
import type { Rules } from '../upload/delivery'
import { parseConfig } from './config'
import { CREDENTIAL_NAMES, type StaticCredentials } from './credentials'
import type { SettingName } from './settings'

export interface Config {
  /** `undefined`: the AWS default chain decides. */
  readonly credentials: StaticCredentials | undefined
  /** `undefined`: the profile's region, then us-east-1. */
  readonly region: string | undefined
  /** `undefined`: AWS. */
  readonly endpoint: string | undefined
  readonly forcePathStyle: boolean
  readonly bucket: string
  readonly bucketOwner: string | undefined
  readonly createBucket: boolean
  /** Files and folders to upload. */
  readonly paths: readonly string[]
  readonly layout: Layout
  /** A calendar date, `YYYY-MM-DD`. */
  readonly runDate: string
  readonly rules: Rules
  /** `undefined`: all files. */
  readonly shard: Shard | undefined
  readonly manifest: boolean
  readonly csvCheck: CsvCheck
  /** Bytes of file content held at once. */
  readonly maxMemory: number
  /** Requests in flight. */
  readonly concurrency: number
}

/** What was asked for: a run, or a text to print. */
export type Invocation = { readonly config: Config } | { readonly print: string }

/** The library would also take these from variables of its own, read another file, and print on stdout. */
const DOTENV = { path: '.env', encoding: 'utf8', quiet: true, debug: false, fast: false, processEnv: {} }

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads this process's arguments, environment and `.env`. What `.env` gives for the AWS default chain (`AWS_PROFILE`
 * and the like) is put into the environment, where the SDK looks for it; blank variables are taken out of it, since
 * the SDK stumbles over them.
 * @throws ConfigFailure, CredentialsFailure
 */
export function readConfig(): Invocation {
  const { parsed: dotenv = {}, error } = readDotenv(DOTENV)
  if (error !== undefined && error.code !== 'ENOENT') {
    throw new ConfigFailure(`.env in the working folder cannot be read (${error.code ?? error.message}).`, {
      code: 'bad_config',
      advice: 'Make it a file that this user may read, or remove it.',
    })
  }
  const invocation = parseConfig(process.argv.slice(2), process.env, dotenv, new Date())
  for (const [name, value] of Object.entries({ ...dotenv, ...withoutBlanks(process.env) })) {
    if (!CREDENTIAL_NAMES.some(credential => credential === name.toUpperCase())) process.env[name] = value
  }
  for (const [name, value] of Object.entries(process.env)) if (value === '') delete process.env[name]
  // Node would no longer verify certificates.
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  return invocation
}

/** How to print, known before anything is checked: a refusal too is printed in the format that was asked for. */
export function readOutput(): { readonly json: boolean; readonly stackTraces: boolean; readonly forceColor: boolean } {
  const { parsed: dotenv = {} } = readDotenv(DOTENV)
  const read = (name: SettingName) => process.env[name] || dotenv[name]
  return {
    json: process.argv.includes('--json') || read('LOG_FORMAT') === 'json',
    stackTraces: Boolean(read('DEBUG')),
    // https://force-color.org and Node's own values: 0 and false switch it off.
    forceColor: !['', '0', 'false'].includes(process.env['FORCE_COLOR'] ?? ''),
  }
}

function withoutBlanks(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''))
}
