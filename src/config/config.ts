/** Arguments, environment and `.env` become one frozen `Config`; everything is checked before the first request. */
import { parseArgs } from 'node:util'
import { version } from '../../package.json'
import { ConfigFailure } from '../errors'
import { parseLayout } from '../key/layout'
import { pickCredentials } from './credentials'
import type { Config, Invocation, Variables } from './environment'
import { describeUsage } from './help'
import type { SettingName } from './settings'
import { parseShard } from './shard'
import {
  dateIn,
  MIB,
  parseAccountId,
  parseBoolean,
  parseBucketName,
  parseCount,
  parseDate,
  parseEndpoint,
  parseRegion,
  parseSize,
  parseWord,
  refuse,
} from './values'

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
export function parseConfig(argv: readonly string[], environment: Variables, dotenv: Variables, now: Date): Invocation {
  const { values: options, positionals } = parseArguments(argv)
  if (options.help === true) return { print: describeUsage() }
  if (options.version === true) return { print: `${version}\n` }

  const read = (name: SettingName): string | undefined => {
    const text = environment[name] || dotenv[name] || undefined
    if (text !== undefined && /^(["']).*\1$/s.test(text))
      throw refuse(name, text, 'the value without the quotes around it')
    return text
  }
  /** The first of `names` that is set, parsed. */
  const take = <Value>(parse: (name: string, text: string) => Value, ...names: SettingName[]): Value | undefined => {
    for (const name of names) {
      const text = read(name)
      if (text !== undefined) return parse(name, text)
    }
    return undefined
  }

  const bucket = take(parseBucketName, 'BUCKET_NAME')
  if (bucket === undefined) {
    throw new ConfigFailure('BUCKET_NAME is not set.', {
      code: 'bad_config',
      advice: 'Set it in the environment or in a .env file in the working folder (.env.example shows how).',
    })
  }
  take((name, text) => parseWord(name, text, ['text', 'json']), 'LOG_FORMAT')

  const endpoint = take(parseEndpoint, 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL')
  const today = dateIn(read('TZ'), now)
  const config: Config = {
    region: take(parseRegion, 'AWS_REGION', 'AWS_DEFAULT_REGION'),
    endpoint,
    forcePathStyle: take(parseBoolean, 'S3_FORCE_PATH_STYLE') ?? endpoint !== undefined,
    bucket,
    bucketOwner: take(parseAccountId, 'BUCKET_OWNER'),
    createBucket: take(parseBoolean, 'CREATE_BUCKET') ?? true,
    paths: positionals.length > 0 ? positionals : [read('DATA_DIR') ?? './csv_files'],
    layout: parseLayout(read('KEY_LAYOUT') ?? 'plain', {
      layer: read('STORAGE_LAYER') ?? 'Raw',
      source: read('DATA_SOURCE') ?? 'Local',
      format: read('DATA_FORMAT') ?? 'CSV',
    }),
    runDate: options.date !== undefined ? parseDate('--date', options.date) : (take(parseDate, 'RUN_DATE') ?? today),
    rules: {
      onConflict:
        take((name, text) => parseWord(name, text, ['overwrite', 'keep', 'fail']), 'ON_CONFLICT') ?? 'overwrite',
      onInterrupt: take((name, text) => parseWord(name, text, ['abort', 'keep']), 'ON_INTERRUPT') ?? 'abort',
      dryRun: options['dry-run'] ?? false,
    },
    shard: parseShard(read),
    manifest: take(parseBoolean, 'MANIFEST') ?? false,
    csvCheck: take((name, text) => parseWord(name, text, ['off', 'warn', 'strict']), 'CSV_CHECK') ?? 'warn',
    maxMemory: take((name, text) => parseSize(name, text, 8 * MIB), 'MAX_MEMORY') ?? 64 * MIB,
    concurrency: take((name, text) => parseCount(name, text, 1000), 'CONCURRENCY') ?? 8,
    // Last: a run that is wrong in both ways is told of its configuration first.
    credentials: pickCredentials([
      { label: 'the environment', variables: environment },
      { label: '.env', variables: dotenv },
    ]),
  }
  return { config: Object.freeze(config) }
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
