/** The environment variables that the program reads, one row each: what parses them, and what `--help` says of them. */
import { parsePemFile } from './files'
import { parseObjectOptions } from './object-options'
import { parseShard, parseShardCount } from './shard'
import {
  countUpTo,
  oneOf,
  type Parse,
  parseAccountId,
  parseBoolean,
  parseDate,
  parseEndpoint,
  parseProxy,
  parseRegion,
  parseText,
  parseTimeZone,
  sizeFrom,
} from './values'

/** The groups of `--help`, in its order. */
const GROUPS = [
  'Usual settings',
  'Credentials',
  'Server',
  'Network',
  'Bucket',
  'Key',
  'Upload',
  'Several machines',
  'Output',
] as const

interface Setting {
  readonly name: string
  readonly group: (typeof GROUPS)[number]
  readonly parse: Parse<unknown>
  /** The text that counts if none is set: it goes through `parse`. */
  readonly default?: string
  /** What a person reads instead of a default, if no text stands for it. */
  readonly otherwise?: string
  /** What it decides, in one line. */
  readonly meaning: string
}

// biome-ignore format: one row each, like a table
export const SETTINGS = [
  { name: 'BUCKET_NAME', group: 'Usual settings', parse: parseText, otherwise: 'required', meaning: "the bucket, or an access point's alias or ARN" },
  { name: 'AWS_ACCESS_KEY_ID', group: 'Usual settings', parse: parseText, meaning: 'static credentials; without any, the AWS default chain' },
  { name: 'AWS_SECRET_ACCESS_KEY', group: 'Usual settings', parse: parseText, meaning: 'belongs to the access key id' },
  { name: 'AWS_REGION', group: 'Usual settings', parse: parseRegion, otherwise: "the profile's, then us-east-1", meaning: 'region of the bucket' },
  { name: 'AWS_ENDPOINT_URL', group: 'Usual settings', parse: parseEndpoint, otherwise: 'AWS', meaning: 'an S3-compatible server, with its scheme' },

  { name: 'AWS_SESSION_TOKEN', group: 'Credentials', parse: parseText, meaning: 'belongs to temporary credentials' },
  { name: 'AWS_ACCESS_KEY_ID_FILE', group: 'Credentials', parse: parseText, meaning: 'a file that holds the access key id' },
  { name: 'AWS_SECRET_ACCESS_KEY_FILE', group: 'Credentials', parse: parseText, meaning: 'a file that holds the secret access key' },
  { name: 'AWS_SESSION_TOKEN_FILE', group: 'Credentials', parse: parseText, meaning: 'a file that holds the session token' },

  { name: 'AWS_DEFAULT_REGION', group: 'Server', parse: parseRegion, meaning: 'taken if AWS_REGION is not set' },
  { name: 'AWS_ENDPOINT_URL_S3', group: 'Server', parse: parseEndpoint, meaning: 'taken before AWS_ENDPOINT_URL' },
  { name: 'S3_FORCE_PATH_STYLE', group: 'Server', parse: parseBoolean, otherwise: 'true with a custom endpoint', meaning: 'true or false' },

  { name: 'HTTPS_PROXY', group: 'Network', parse: parseProxy, meaning: 'the proxy for https:// addresses, lower case too' },
  { name: 'HTTP_PROXY', group: 'Network', parse: parseProxy, meaning: 'the proxy for http:// addresses' },
  { name: 'ALL_PROXY', group: 'Network', parse: parseProxy, meaning: 'the proxy for both' },
  { name: 'NO_PROXY', group: 'Network', parse: parseText, meaning: 'hosts, domains, networks without a proxy; * for all' },
  { name: 'AWS_CA_BUNDLE', group: 'Network', parse: parsePemFile, otherwise: "the profile's", meaning: "PEM file of authorities, added to Node's" },

  { name: 'BUCKET_OWNER', group: 'Bucket', parse: parseAccountId, meaning: '12-digit account id that must own the bucket' },
  { name: 'CREATE_BUCKET', group: 'Bucket', parse: parseBoolean, default: 'true', meaning: 'create the bucket if it does not exist' },
  { name: 'OBJECT_OPTIONS', group: 'Bucket', parse: parseObjectOptions, meaning: 'how objects are stored: StorageClass=STANDARD_IA; …' },

  { name: 'STORAGE_LAYER', group: 'Key', parse: parseText, default: 'Raw', meaning: 'first part of the key' },
  { name: 'DATA_SOURCE', group: 'Key', parse: parseText, default: 'Local', meaning: 'second part of the key' },
  { name: 'DATA_FORMAT', group: 'Key', parse: parseText, default: 'CSV', meaning: 'third part of the key' },
  { name: 'KEY_LAYOUT', group: 'Key', parse: parseText, default: 'plain', meaning: 'plain, hive, or a template that holds {file}' },
  { name: 'RUN_DATE', group: 'Key', parse: parseDate, otherwise: 'today', meaning: 'the date in the key, YYYY-MM-DD' },
  { name: 'TZ', group: 'Key', parse: parseTimeZone, otherwise: "the system's", meaning: 'the time zone in which "today" is taken' },

  { name: 'DATA_DIR', group: 'Upload', parse: parseText, default: './csv_files', meaning: 'where the CSV files are (/data in the image)' },
  { name: 'ON_CONFLICT', group: 'Upload', parse: oneOf('overwrite', 'keep', 'fail'), default: 'overwrite', meaning: 'other content under the key: overwrite, keep, fail' },
  { name: 'ON_INTERRUPT', group: 'Upload', parse: oneOf('abort', 'keep'), default: 'abort', meaning: 'a signal: abort unfinished uploads, or keep their parts' },
  { name: 'CSV_CHECK', group: 'Upload', parse: oneOf('off', 'warn', 'strict'), default: 'warn', meaning: 'off, warn, or strict (one fault and nothing is sent)' },
  { name: 'MAX_MEMORY', group: 'Upload', parse: sizeFrom(8), default: '64MiB', meaning: 'file content held in memory at most, from 8MiB' },
  { name: 'CONCURRENCY', group: 'Upload', parse: countUpTo(1000), default: '16', meaning: 'requests in flight at most' },
  { name: 'MANIFEST', group: 'Upload', parse: parseBoolean, default: 'false', meaning: 'write a manifest when every file has landed' },

  { name: 'SHARD', group: 'Several machines', parse: parseShard, meaning: 'i/n, from 0: take the i-th of n shares of the files' },
  { name: 'SHARDS', group: 'Several machines', parse: parseShardCount, meaning: 'n shares, numbered by the scheduler in one of these:' },
  { name: 'JOB_COMPLETION_INDEX', group: 'Several machines', parse: parseText, meaning: 'as Kubernetes numbers an Indexed Job' },
  { name: 'AWS_BATCH_JOB_ARRAY_INDEX', group: 'Several machines', parse: parseText, meaning: 'as AWS Batch numbers an array job' },

  { name: 'LOG_FORMAT', group: 'Output', parse: oneOf('text', 'json'), default: 'text', meaning: 'text, or json: one JSON object a line on stdout' },
  { name: 'DEBUG', group: 'Output', parse: parseText, meaning: 'set to anything: stack traces with errors' },
] as const satisfies readonly Setting[]

type Row = (typeof SETTINGS)[number]
export type SettingName = Row['name']

/** What `SETTINGS` makes of the text of a setting, or of its default. */
export type SettingValue<Name extends SettingName> =
  | ReturnType<Extract<Row, { readonly name: Name }>['parse']>
  | (Extract<Row, { readonly name: Name }> extends { readonly default: string } ? never : undefined)

/**
 * The value of the setting `name`, from `text` if it is set.
 * @throws ConfigFailure
 */
export function parseSetting<Name extends SettingName>(name: Name, text: string | undefined): SettingValue<Name> {
  const setting: Setting | undefined = SETTINGS.find(candidate => candidate.name === name)
  const given = text ?? setting?.default
  // The row decides the type, which TypeScript does not follow through `find`.
  return (given === undefined ? undefined : setting?.parse(name, given)) as SettingValue<Name>
}

/** What counts if a setting is not set, as a person reads it; `undefined` if there is nothing to say. */
export function describeDefault(setting: Setting): string | undefined {
  return setting.default ?? setting.otherwise
}

/** What `--help` prints. */
export function describeUsage(): string {
  return `Usage: data-raw-upload [PATH...] [--date YYYY-MM-DD] [--dry-run] [--json]

Uploads every CSV file of a folder, byte for byte, to the raw zone of a data lake
on Amazon S3 or an S3-compatible server, and exits.

Examples:
  BUCKET_NAME=my-lake data-raw-upload      upload what is in ./csv_files
  data-raw-upload --dry-run exports/       show what would land, and under which keys
  data-raw-upload --date 2024-10-21 a.csv  upload one file under the keys of another day

Arguments:
  PATH...            files or folders instead of DATA_DIR
  --date YYYY-MM-DD  the date in the key, instead of RUN_DATE
  --dry-run          do everything except write
  --json             one JSON object a line on stdout, instead of LOG_FORMAT
  --help, --version

Everything else is environment, also from .env in the working folder.
${GROUPS.map(describeGroup).join('')}
Exit codes: 0 done, 1 some files failed, 2 configuration, 3 credentials,
4 bucket, 5 CSV refused, 6 endpoint, 130 and 143 stopped by a signal.
`
}

function describeGroup(group: (typeof GROUPS)[number]): string {
  const width = Math.max(...SETTINGS.map(({ name }) => name.length))
  const settings: readonly Setting[] = SETTINGS.filter(setting => setting.group === group)
  const rows = settings.map(setting => {
    const value = describeDefault(setting)
    return `  ${setting.name.padEnd(width)}  ${setting.meaning}${value === undefined ? '' : ` [${value}]`}\n`
  })
  return `\n${group}:\n${rows.join('')}`
}
