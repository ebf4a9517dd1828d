/** Arguments, environment and `.env` become one frozen `Config`; everything is checked before the first request. */
import { parseArgs } from 'node:util'
import { version } from '../../package.json'
import type { CsvCheck } from '../csv/check-csv'
import type { Shard } from '../csv/shard'
import { ConfigFailure, type Failure, unwrap } from '../errors'
import type { Layout } from '../key/build-key'
import { parseLayout } from '../key/layout'
import type { S3Options } from '../s3/connect'
import type { Rules } from '../upload/delivery'
import type { ObjectOptions } from '../upload/object-options'
import { pickCredentials } from './credentials'
import { findMisspelt } from './misspelt'
import type { Profile } from './profile'
import { parseServer } from './server'
import { describeUsage } from './settings'
import { chooseShard } from './shard'
import { takeFrom, type Variables } from './sources'
import { parseDate, systemCalendar } from './values'

export interface Config {
  readonly s3: S3Options
  /** Create the bucket if it does not exist. */
  readonly createBucket: boolean
  /** Files and folders to upload. */
  readonly paths: readonly string[]
  readonly layout: Layout
  /** A calendar date, `YYYY-MM-DD`. */
  readonly runDate: string
  readonly rules: Rules
  readonly objectOptions: ObjectOptions
  /** `undefined`: all files. */
  readonly shard: Shard | undefined
  readonly manifest: boolean
  readonly csvCheck: CsvCheck
  /** Bytes of file content held at once. */
  readonly maxMemory: number
}

export interface Run {
  readonly config: Config
  /** What its user should know before it begins. */
  readonly warnings: readonly string[]
}

/** What was asked for: a run, or a text to print. */
export type Invocation = Run | { readonly print: string }

/** What a run was given, as text; what cannot be read only matters to a run. */
export interface Given {
  readonly argv: readonly string[]
  readonly environment: Variables
  readonly dotenv: Variables | Failure
  readonly profile: Profile | Failure
}

const OPTIONS = {
  date: { type: 'string' },
  json: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const

/**
 * The first value that is set, argument before environment before `.env` before profile, for everything that can be set.
 * @throws ConfigFailure, CredentialsFailure
 */
export function parseConfig(given: Given, now: Date): Invocation {
  const { values: options, positionals } = parseArguments(given.argv)
  if (options.help === true) return { print: describeUsage() }
  if (options.version === true) return { print: `${version}\n` }

  const { environment } = given
  const [dotenv, profile] = [unwrap(given.dotenv), unwrap(given.profile)]
  const take = takeFrom(environment, dotenv)
  const misspelt = findMisspelt(Object.keys(dotenv))
  const bucketName = take('BUCKET_NAME')
  if (bucketName === undefined) {
    const written = misspelt.find(({ meant }) => meant === 'BUCKET_NAME')?.name
    throw new ConfigFailure('BUCKET_NAME is not set.', {
      code: 'bad_config',
      advice:
        written === undefined
          ? 'Set it in the environment or in a .env file in the working folder (.env.example shows how).'
          : `In .env, write BUCKET_NAME instead of ${written}.`,
    })
  }
  take('LOG_FORMAT')
  const date = options.date === undefined ? take('RUN_DATE') : parseDate('--date', options.date)
  const { isAccessPoint, ...server } = parseServer({ environment, dotenv, profile }, take, bucketName)
  const rest = {
    createBucket: take('CREATE_BUCKET') && !isAccessPoint,
    paths: positionals.length > 0 ? positionals : [take('DATA_DIR')],
    layout: parseLayout(take('KEY_LAYOUT'), {
      layer: take('STORAGE_LAYER'),
      source: take('DATA_SOURCE'),
      format: take('DATA_FORMAT'),
    }),
    runDate: date ?? (take('TZ') ?? systemCalendar)(now),
    rules: {
      onConflict: take('ON_CONFLICT'),
      onInterrupt: take('ON_INTERRUPT'),
      dryRun: options['dry-run'] ?? false,
    },
    objectOptions: take('OBJECT_OPTIONS') ?? {},
    shard: chooseShard(take('SHARD'), take('SHARDS'), {
      JOB_COMPLETION_INDEX: take('JOB_COMPLETION_INDEX'),
      AWS_BATCH_JOB_ARRAY_INDEX: take('AWS_BATCH_JOB_ARRAY_INDEX'),
    }),
    manifest: take('MANIFEST'),
    csvCheck: take('CSV_CHECK'),
    maxMemory: take('MAX_MEMORY'),
  }
  // Last: a run that is wrong in both ways is told of its configuration first.
  const credentials = pickCredentials([
    { label: 'the environment', variables: environment },
    { label: '.env', variables: dotenv },
  ])
  return {
    config: freezeDeeply({ s3: { ...server, credentials }, ...rest }),
    warnings: misspelt.map(({ name, meant }) => `.env sets ${name}, which nothing reads: ${meant} was probably meant`),
  }
}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  } catch (cause) {
    // Node's message may go on with hints, and has no full stop.
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigFailure(said.replace(/(\. |\n).*/s, '').replace(/\.?$/, '.'), {
      code: 'bad_config',
      advice: 'See --help for the options there are.',
      cause,
    })
  }
}

function freezeDeeply<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) freezeDeeply(inner)
  return Object.freeze(value)
}
