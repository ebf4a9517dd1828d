/** The environment variables that the program reads: the one list behind `--help` and what documents it. */

interface Setting {
  readonly name: string
  /** The default, as shown to a person. */
  readonly default: string
  /** What it decides, in one line. */
  readonly meaning: string
}

export const SETTINGS = [
  {
    name: 'AWS_ACCESS_KEY_ID',
    default: '–',
    meaning: 'static credentials; without any, the AWS default chain decides',
  },
  { name: 'AWS_SECRET_ACCESS_KEY', default: '–', meaning: 'belongs to the access key id' },
  { name: 'AWS_SESSION_TOKEN', default: '–', meaning: 'belongs to temporary credentials' },
  { name: 'AWS_REGION', default: "the profile's, then us-east-1", meaning: 'region of the bucket' },
  { name: 'AWS_DEFAULT_REGION', default: '–', meaning: 'taken where AWS_REGION is not set' },
  { name: 'AWS_ENDPOINT_URL_S3', default: 'AWS', meaning: 'an S3-compatible server, with its scheme' },
  { name: 'AWS_ENDPOINT_URL', default: 'AWS', meaning: 'taken where AWS_ENDPOINT_URL_S3 is not set' },
  { name: 'S3_FORCE_PATH_STYLE', default: 'true with a custom endpoint', meaning: 'true or false' },
  { name: 'BUCKET_NAME', default: 'required', meaning: 'the bucket' },
  { name: 'BUCKET_OWNER', default: '–', meaning: '12-digit account id that must own the bucket' },
  { name: 'CREATE_BUCKET', default: 'true', meaning: 'create the bucket where it does not exist' },
  {
    name: 'DATA_DIR',
    default: './csv_files',
    meaning: 'where the CSV files are, sub-folders too (/data in the image)',
  },
  { name: 'STORAGE_LAYER', default: 'Raw', meaning: 'first part of the key' },
  { name: 'DATA_SOURCE', default: 'Local', meaning: 'second part of the key' },
  { name: 'DATA_FORMAT', default: 'CSV', meaning: 'third part of the key' },
  { name: 'KEY_LAYOUT', default: 'plain', meaning: 'plain, hive, or a template that holds {file}' },
  { name: 'RUN_DATE', default: 'today', meaning: 'the date in the key, YYYY-MM-DD' },
  { name: 'TZ', default: "the system's", meaning: 'the time zone in which "today" is taken' },
  { name: 'ON_CONFLICT', default: 'overwrite', meaning: 'the key holds other content: overwrite, keep, or fail' },
  {
    name: 'ON_INTERRUPT',
    default: 'abort',
    meaning: 'a signal: abort unfinished multipart uploads, or keep their parts',
  },
  {
    name: 'CSV_CHECK',
    default: 'warn',
    meaning: 'look into the files: off, warn, or strict (one fault and nothing is sent)',
  },
  { name: 'MAX_MEMORY', default: '64MiB', meaning: 'bound on file content held in memory at once, 8MiB at least' },
  { name: 'CONCURRENCY', default: '8', meaning: 'requests in flight at most' },
  { name: 'SHARD', default: '–', meaning: 'i/n, from 0: take the i-th of n shares of the files' },
  { name: 'SHARDS', default: '–', meaning: 'n shares, numbered by the scheduler in one of the next two' },
  { name: 'JOB_COMPLETION_INDEX', default: '–', meaning: 'the share, as Kubernetes numbers an Indexed Job' },
  { name: 'AWS_BATCH_JOB_ARRAY_INDEX', default: '–', meaning: 'the share, as AWS Batch numbers an array job' },
  { name: 'MANIFEST', default: 'false', meaning: 'true: write a manifest object last, when every file has landed' },
  { name: 'LOG_FORMAT', default: 'text', meaning: 'text, or json: one JSON object a line on stdout' },
  { name: 'DEBUG', default: '–', meaning: 'set to anything: stack traces with errors' },
] as const satisfies readonly Setting[]

export type SettingName = (typeof SETTINGS)[number]['name']
