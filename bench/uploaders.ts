/** This program and its peers: how each is told to upload the files of a folder. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from './measure'

/** What is uploaded, and where to. */
export interface Job {
  readonly folder: string
  /** In the folder. */
  readonly files: readonly string[]
  readonly endpoint: string
  /** The certificate of the endpoint. */
  readonly certificate: string
}

export interface Uploader {
  readonly name: string
  /** What prints its version; fails if it is absent. */
  readonly version: readonly string[]
  /** `undefined`: this is not its work. */
  command(job: Job): Command | undefined
}

const ROOT = join(__dirname, '..')
const NODE = process.execPath

const awsEnv = ({ endpoint, certificate }: Job) => ({
  AWS_ACCESS_KEY_ID: 'BENCH',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ENDPOINT_URL: endpoint,
  AWS_CA_BUNDLE: certificate,
  AWS_EC2_METADATA_DISABLED: 'true',
  NODE_EXTRA_CA_CERTS: certificate,
  SSL_CERT_FILE: certificate,
})

/** The options of Node in the image. */
export const IMAGE_OPTIONS = ['--max-semi-space-size=4']

/** This program, or another build of it, with `settings` beside its defaults, and `options` of Node. */
export function ourselves(
  name: string,
  settings: Readonly<Record<string, string>> = {},
  options: readonly string[] = [],
  build = join(ROOT, 'dist', 'main.js'),
): Uploader {
  return {
    name,
    version: [NODE, build, '--version'],
    command: job => ({
      argv: [NODE, ...options, build],
      // Node has the certificate by its own variable. To add it to 150 others takes as long as a small file.
      env: {
        ...awsEnv(job),
        AWS_CA_BUNDLE: '',
        BUCKET_NAME: 'bench',
        DATA_DIR: job.folder,
        RUN_DATE: '2024-10-21',
        ...settings,
      },
    }),
  }
}

export const PEERS: readonly Uploader[] = [
  {
    name: 'aws-cli',
    version: ['aws', '--version'],
    command: job => {
      const recursive = job.files.length > 1 ? ['--recursive'] : []
      const source = job.files.length > 1 ? job.folder : join(job.folder, job.files[0] ?? '')
      return {
        argv: ['aws', 's3', 'cp', ...recursive, '--only-show-errors', source, 's3://bench/aws-cli/'],
        env: awsEnv(job),
      }
    },
  },
  {
    name: 's5cmd',
    version: ['s5cmd', 'version'],
    command: job => ({
      argv: ['s5cmd', '--endpoint-url', job.endpoint, 'cp', `${job.folder}/`, 's3://bench/s5cmd/'],
      env: awsEnv(job),
    }),
  },
  {
    name: 'rclone',
    version: ['rclone', 'version'],
    command: job => ({
      argv: [
        ...['rclone', 'copy', '--ca-cert', job.certificate, '--s3-provider', 'Other', '--s3-env-auth'],
        ...['--s3-endpoint', job.endpoint, job.folder, ':s3:bench/rclone'],
      ],
      // It cannot load the bundle that the variable names.
      env: { ...awsEnv(job), AWS_CA_BUNDLE: '' },
    }),
  },
  {
    name: 'lib-storage',
    version: [NODE, '-p', `require('${ROOT}/node_modules/@aws-sdk/lib-storage/package.json').version`],
    command: job => ({ argv: [NODE, join(ROOT, 'dist', 'lib-storage.js'), job.folder], env: awsEnv(job) }),
  },
  {
    // The floor: it signs nothing and checks nothing.
    name: 'curl',
    version: ['curl', '--version'],
    command: job =>
      job.files.length > 2
        ? undefined
        : {
            argv: [
              ...['curl', '--silent', '--fail', '--cacert', job.certificate, '--header', 'Expect:'],
              ...job.files.flatMap(file => ['-T', join(job.folder, file), `${job.endpoint}/bench/curl/${file}`]),
            ],
            env: {},
          },
  },
]

/** The floor of a slow disk: it reads the files, and sends nothing. */
export const CAT: Uploader = {
  name: 'cat',
  version: ['cat', '--version'],
  command: job => ({
    argv: ['sh', '-c', 'cat "$@" >/dev/null', 'sh', ...job.files.map(file => join(job.folder, file))],
    env: {},
  }),
}

/** The floor of a start. */
export const BARE_NODE: Uploader = {
  name: 'bare node',
  version: [NODE, '--version'],
  command: () => ({ argv: [NODE, '-e', '0'], env: {} }),
}

/** The first line that it says of its version; `undefined` if it is absent. */
export function findVersion({ version: [command = '', ...args] }: Uploader): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n', 1)[0]
  } catch {
    return undefined
  }
}
