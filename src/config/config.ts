/** Arguments, environment and `.env` become one frozen `Config`; everything is checked before the first request. */
import { parseArgs } from 'node:util'
import { version } from '../../package.json'
import type { CsvCheck } from '../csv/check-csv'
import type { Shard } from '../csv/shard'
import { ConfigFailure } from '../errors'
import type { Layout } from '../key/build-key'
import { parseLayout } from '../key/layout'
import type { S3Options } from '../s3/connect'
import type { Rules } from '../upload/delivery'
import { pickCredentials } from './credentials'
import { describeUsage, parseSetting, type SettingName, type SettingValue } from './settings'
import { chooseShard } from './shard'
import { parseDate, refuse, systemCalendar } from './values'

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
  /** `undefined`: all files. */
  readonly shard: Shard | undefined
  readonly manifest: boolean
  readonly csvCheck: CsvCheck
  /** Bytes of file content held at once. */
  readonly maxMemory: number
}

/** What was asked for: a run, or a text to print. */
export type Invocation = { readonly config: Config } | { readonly print: string }

/** What a run was given, as text. */
export interface Given {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly dotenv: Readonly<Record<string, string | undefined>>
}

const OPTIONS = {
  date: { type: 'string' },
  json: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const

/**
 * The first value that is set, argument before environment before `.env`, for everything that can be set.
 * @throws ConfigFailure, CredentialsFailure
 */
export function parseConfig({ argv, environment, dotenv }: Given, now: Date): Invocation {
  const { values: options, positionals } = parseArguments(argv)
  if (options.help === true) return { print: describeUsage() }
  if (options.version === true) return { print: `${version}\n` }

  const read = (name: SettingName): string | undefined => {
    const text = environment[name] || dotenv[name] || undefined
    if (text !== undefined && /^(["']).*\1$/s.test(text))
      throw refuse(name, text, 'the value without the quotes around it')
    return text
  }
  const take = <Name extends SettingName>(name: Name): SettingValue<Name> => parseSetting(name, read(name))

  const bucket = take('BUCKET_NAME')
  if (bucket === undefined) {
    throw new ConfigFailure('BUCKET_NAME is not set.', {
      code: 'bad_config',
      advice: 'Set it in the environment or in a .env file in the working folder (.env.example shows how).',
    })
  }
  take('LOG_FORMAT')

  const endpoint = take('AWS_ENDPOINT_URL_S3') ?? take('AWS_ENDPOINT_URL')
  const date = options.date === undefined ? take('RUN_DATE') : parseDate('--date', options.date)
  const server = {
    region: take('AWS_REGION') ?? take('AWS_DEFAULT_REGION'),
    endpoint,
    forcePathStyle: take('S3_FORCE_PATH_STYLE') ?? endpoint !== undefined,
    bucket,
    bucketOwner: take('BUCKET_OWNER'),
    concurrency: take('CONCURRENCY'),
  }
  const rest = {
    createBucket: take('CREATE_BUCKET'),
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
  return { config: freezeDeeply({ s3: { ...server, credentials }, ...rest }) }
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
