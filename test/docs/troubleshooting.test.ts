/** docs/troubleshooting.md against the real program: each mistake is made, and the screen says what the table says. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startForwardProxy } from '../support/forward-proxy'
import { listen } from '../support/listen'
import { FAST_CLOCK, NO_CREDENTIALS, ROOT, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'
import { makeCertificate } from '../support/tls'

/** Working folder of the run; `server` stands at `AWS_ENDPOINT_URL` and holds no bucket. */
interface Scene {
  readonly server: TestServer
  readonly folder: string
}

interface Mistake {
  /** The run is for AWS, not for the test's server. */
  readonly aws?: boolean
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** The user that runs the program, where this one may say so. */
  readonly uid?: number
  /** The content of `.env`; credentials then come from there alone. */
  readonly dotenv?: string
  /** What else is wrong; what it returns is added to the environment. */
  prepare?(scene: Scene): void | Promise<void> | Promise<Record<string, string>> | Record<string, string>
}

const answer =
  (status: number, code: string, isMeant = (_: SeenRequest): boolean => true, headers = {}) =>
  ({ server }: Scene) => {
    server.meddle = (seen, response) => (isMeant(seen) ? refuse(response, status, code, headers) : seen.body)
  }
const isPut = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('.csv')
const isCreation = ({ method, url }: SeenRequest) => method === 'PUT' && !url.includes('.csv')
const csv = ({ folder }: Scene) => join(folder, 'csv_files', 'movies.csv')

/** Acts when a request of this method and about this comes: the rule of a new bucket is asked for before any file is sent. */
const onRequest = (method: string, about: string, act: (scene: Scene) => void) => (scene: Scene) => {
  scene.server.meddle = seen => {
    if (seen.method === method && seen.url.includes(about)) act(scene)
    return seen.body
  }
}

/** Makes `text` the file that profiles are read from. */
function useProfile(text: string) {
  return ({ folder }: Scene) => {
    writeFileSync(join(folder, 'profiles'), text)
    return { AWS_CONFIG_FILE: join(folder, 'profiles') }
  }
}

/** A server whose certificate no authority has signed. */
const startTls = () => listen(createHttps(makeCertificate('IP:127.0.0.1'), (_, response) => response.end()))

/** A container's role, whose credentials must be asked for anew before each request, and are refused once the files are read. */
async function endSession(scene: Scene) {
  let isOver = false
  onRequest('PUT', '?lifecycle', () => {
    isOver = true
  })(scene)
  const role = { AccessKeyId: 'S3RVER', SecretAccessKey: 'S3RVER', Token: 't', Expiration: '2024-10-21T00:00:00Z' }
  const container = createHttp((_, response) => {
    response.writeHead(isOver ? 403 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(role))
  })
  return { AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${await listen(container)}` }
}

const SSO = `[profile lake]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = uploader
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
`

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'no `.env` in the working folder, or no `BUCKET_NAME` in it': { env: { BUCKET_NAME: '' } },
  '`.env` is a folder, made by Docker for a mount of a file that was not there': {
    prepare: ({ folder }) => mkdirSync(join(folder, '.env')),
  },
  "an address in place of the bucket's name": { env: { BUCKET_NAME: 's3://my-data-lake' } },
  'a bucket name that S3 does not allow': { env: { BUCKET_NAME: 'My_Data_Lake' }, aws: true },
  'quotes that became part of a value, as with `docker run --env-file`': { env: { BUCKET_NAME: '"my-data-lake"' } },
  'a date as dd/mm/yyyy': { env: { RUN_DATE: '21/10/2024' } },
  '`yes` for `true`': { env: { CREATE_BUCKET: 'yes' } },
  'a size in MB': { env: { MAX_MEMORY: '64MB' } },
  'a time zone that is not in the IANA list': { env: { TZ: 'Brasilia', RUN_DATE: '' } },
  '`BUCKET_NAME` misspelt in `.env`': { env: { BUCKET_NAME: '' }, dotenv: 'BUKET_NAME=my-data-lake' },
  'any other name misspelt in `.env`': {
    args: ['--dry-run'],
    dotenv: 'CONCURENCY=4\nAWS_ACCESS_KEY_ID=S3RVER\nAWS_SECRET_ACCESS_KEY=S3RVER',
  },
  "an option that S3 does not have, or a provider's own name for one": {
    env: { OBJECT_OPTIONS: 'StorageClass=COLD' },
  },
  'an option by another name than the API of S3 has': { env: { OBJECT_OPTIONS: 'storage-class=STANDARD_IA' } },
  'a KMS key, and no encryption by KMS': { env: { OBJECT_OPTIONS: 'SSEKMSKeyId=alias/lake' } },
  'an ARN of something else than an access point': { env: { BUCKET_NAME: 'arn:aws:s3:::my-data-lake' }, aws: true },
  "a layout without the file's name": { env: { KEY_LAYOUT: '{layer}/{dataset}' } },
  '`SHARDS` where no scheduler numbers the runs': { env: { SHARDS: '4' } },
  'a misspelt option': { args: ['--dryrun'] },

  'no credentials anywhere': { dotenv: '' },
  'a profile that does not exist': { dotenv: 'AWS_PROFILE=laek' },
  'a profile whose SSO session is over': {
    dotenv: 'AWS_PROFILE=lake',
    prepare: ({ folder }) => {
      mkdirSync(join(folder, '.aws'))
      writeFileSync(join(folder, '.aws', 'config'), SSO)
      return { HOME: folder }
    },
  },
  'a secret file that is not mounted': {
    dotenv: 'AWS_ACCESS_KEY_ID=S3RVER\nAWS_SECRET_ACCESS_KEY_FILE=/run/secrets/lake',
  },
  'a secret file with nothing in it': {
    dotenv: 'AWS_ACCESS_KEY_ID=S3RVER\nAWS_SECRET_ACCESS_KEY_FILE=/dev/null',
  },
  'half of the pair': { dotenv: 'AWS_ACCESS_KEY_ID=S3RVER' },
  'a block from the AWS access portal without its last line': {
    dotenv: '[default]\naws_access_key_id=ASIAIOSFODNN7EXAMPLE\naws_secret_access_key=S3RVER',
  },
  'a quote in `.env` that is not closed': { dotenv: "AWS_ACCESS_KEY_ID=S3RVER\nAWS_SECRET_ACCESS_KEY='S3RVER" },
  'a secret cut at its `#`, since it is not quoted in `.env`': {
    dotenv: 'AWS_ACCESS_KEY_ID=S3RVER\nAWS_SECRET_ACCESS_KEY=S3R#VER',
    prepare: answer(403, 'SignatureDoesNotMatch'),
  },
  'a key of another account, of another server, or deleted': { prepare: answer(403, 'InvalidAccessKeyId') },
  'an expired session token': { prepare: answer(400, 'ExpiredToken') },
  'a session that ends in the middle of the run': { dotenv: '', prepare: endSession },
  'a clock so wrong that the server refuses': { prepare: answer(403, 'RequestTimeTooSkewed') },
  'a wrong clock with which requests still pass': {
    args: ['--dry-run'],
    prepare: ({ server }) => {
      server.meddle = (_, response) => {
        const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1000).toUTCString()
        response.writeHead(200, { date: tomorrow, 'content-type': 'application/xml' }).end('<ListBucketResult/>')
        return undefined
      }
    },
  },

  "another region than the bucket's": {
    env: { AWS_REGION: 'us-east-1' },
    prepare: answer(301, 'PermanentRedirect', undefined, { 'x-amz-bucket-region': 'eu-west-1' }),
  },
  'a bucket name that somebody else has': {
    prepare: ({ server }) => {
      let created = false
      server.meddle = (seen, response) => {
        created ||= isCreation(seen)
        if (isCreation(seen)) return refuse(response, 409, 'BucketAlreadyExists')
        return refuse(response, created ? 403 : 404, created ? 'AccessDenied' : 'NoSuchBucket')
      }
    },
  },
  'a bucket that is not there, with `CREATE_BUCKET=false`': { env: { CREATE_BUCKET: 'false' } },
  'a bucket that is not there, and no right to create it': { prepare: answer(403, 'AccessDenied', isCreation) },
  'a bucket of another account than `BUCKET_OWNER`': {
    env: { BUCKET_OWNER: '123456789012' },
    prepare: answer(403, 'AccessDenied'),
  },
  'no right to write': { prepare: answer(403, 'AccessDenied', isPut) },

  'an endpoint that already holds the bucket, as consoles show it': {
    env: { AWS_ENDPOINT_URL: 'https://1234.r2.cloudflarestorage.com/my-data-lake' },
  },
  'a profile whose endpoint holds the bucket': {
    aws: true,
    prepare: useProfile('[default]\nendpoint_url = https://my-data-lake.s3.example.com\n'),
  },
  'a profile whose `services` section does not exist': {
    aws: true,
    prepare: useProfile('[default]\nservices = lake\n'),
  },
  'FIPS and a server that is not AWS': { env: { AWS_USE_FIPS_ENDPOINT: 'true' } },
  'a file of authorities that is not PEM': {
    prepare: ({ folder }) => ({ AWS_CA_BUNDLE: join(folder, 'csv_files', 'movies.csv') }),
  },
  'a file of authorities that is not there': { env: { AWS_CA_BUNDLE: '/etc/ssl/corp.pem' } },
  'a SOCKS proxy': { env: { HTTPS_PROXY: 'socks5://proxy.example.com:1080' } },
  'a proxy that wants a password, or another one': {
    prepare: async () => ({ HTTP_PROXY: `127.0.0.1:${(await startForwardProxy({ login: 'user:password' })).port}` }),
  },
  'a proxy that does not let the host through': {
    env: { AWS_ENDPOINT_URL: 'https://127.0.0.1:1' },
    prepare: async () => ({ HTTPS_PROXY: `127.0.0.1:${(await startForwardProxy({ status: 403 })).port}` }),
  },
  'a proxy that does not answer': { env: { HTTP_PROXY: 'http://127.0.0.1:1' } },
  'an endpoint without its scheme': { env: { AWS_ENDPOINT_URL: '127.0.0.1:9000' } },
  'nothing answers there': { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' } },
  '`http://` for a server that wants TLS': {
    prepare: async () => ({ AWS_ENDPOINT_URL: `http://127.0.0.1:${await startTls()}` }),
  },
  '`https://` for a server without TLS': {
    prepare: ({ server }) => ({ AWS_ENDPOINT_URL: server.env.AWS_ENDPOINT_URL.replace('http:', 'https:') }),
  },
  'a certificate of a private CA, or a proxy that opens TLS': {
    prepare: async () => ({ AWS_ENDPOINT_URL: `https://127.0.0.1:${await startTls()}` }),
  },
  'a web console, a portal or a proxy in place of the S3 server': {
    prepare: async () => {
      const console = createHttp((_, response) => response.writeHead(200).end('<!doctype html><title>Console</title>'))
      return { AWS_ENDPOINT_URL: `http://127.0.0.1:${await listen(console)}` }
    },
  },

  'nothing in the folder or the volume': { prepare: scene => rmSync(csv(scene)) },
  'only files of other kinds, or links out of the folder': {
    prepare: scene => {
      rmSync(csv(scene))
      writeFileSync(join(scene.folder, 'csv_files', 'movies.xlsx'), '')
      symlinkSync(join(ROOT, 'README.md'), join(scene.folder, 'csv_files', 'link.csv'))
    },
  },
  'a folder that is not there': { env: { DATA_DIR: './csv' } },
  'a folder that the user of the container (1000) may not list': {
    uid: 1000,
    prepare: ({ folder }) => {
      chmodSync(join(folder, 'csv_files'), 0o000)
      // So that it can be removed when the tests end.
      process.prependListener('exit', () => chmodSync(join(folder, 'csv_files'), 0o700))
    },
  },
  'a file that the user of the container (1000) may not read': {
    uid: 1000,
    prepare: scene => chmodSync(csv(scene), 0o000),
  },
  'a file, or its disk, that is gone before it is sent': {
    prepare: onRequest('PUT', '?lifecycle', scene => rmSync(csv(scene))),
  },
  'a file that is still being written': {
    env: { CSV_CHECK: 'strict', CONCURRENCY: '1' },
    prepare: scene => {
      writeFileSync(join(scene.folder, 'csv_files', 'first.csv'), 'id\n1\n')
      onRequest('PUT', '/first.csv', () => writeFileSync(csv(scene), 'id\n1\n2\n'))(scene)
    },
  },
  'a name without a letter or a digit': {
    prepare: ({ folder }) => writeFileSync(join(folder, 'csv_files', '--.csv'), 'id\n1\n'),
  },
  'two files for one key': {
    args: ['one/movies.csv', 'two/movies.csv'],
    prepare: ({ folder }) => {
      for (const name of ['one', 'two']) {
        mkdirSync(join(folder, name))
        writeFileSync(join(folder, name, 'movies.csv'), 'id\n1\n')
      }
    },
  },
  'a file too large for `MAX_MEMORY`': {
    env: { MAX_MEMORY: '8MiB' },
    prepare: scene => truncateSync(csv(scene), 8 * 1024 * 1024 * 10_000 + 1),
  },
  'a fault in a file, with `CSV_CHECK=strict`': {
    env: { CSV_CHECK: 'strict' },
    prepare: scene => writeFileSync(csv(scene), 'a,b\n1\n'),
  },
  'other content under the key, with `ON_CONFLICT=fail`': {
    env: { ON_CONFLICT: 'fail' },
    prepare: async scene => {
      const { AWS_ENDPOINT_URL } = scene.server.env
      const run = { AWS_ENDPOINT_URL, BUCKET_NAME: 'my-data-lake', RUN_DATE: '2024-10-21' }
      assert.equal((await runProgram(run, { cwd: scene.folder })).code, 0)
      writeFileSync(csv(scene), 'id\n2\n')
    },
  },
}

const ROWS = [
  ...readFileSync(join(ROOT, 'docs', 'troubleshooting.md'), 'utf8').matchAll(/^\| (.+?) +\| (\d+) +\| `(.+)` +\|$/gm),
].map(([, what = '', exit = '', says = '']) => ({ what, exit: Number(exit), says }))

test('every row of the table is tried, and nothing is tried that is not in it', () =>
  assert.deepEqual(ROWS.map(({ what }) => what).sort(), Object.keys(MISTAKES).sort()))

describe('the screen says what the table says', { concurrency: 4 }, () => {
  for (const { what, exit, says } of ROWS) {
    test(what, async () => {
      const { env = {}, args = [], uid, dotenv, aws = false, prepare } = MISTAKES[what] ?? {}
      const folder = makeTempFolder({ 'csv_files/movies.csv': 'id\n1\n' })
      chmodSync(folder, 0o755)
      const server = await startServer()
      if (dotenv !== undefined) writeFileSync(join(folder, '.env'), dotenv)
      const { code, stdout, stderr } = await runProgram(
        {
          ...FAST_CLOCK,
          ...(dotenv === undefined ? {} : NO_CREDENTIALS),
          ...(aws ? {} : { AWS_ENDPOINT_URL: server.env.AWS_ENDPOINT_URL }),
          ...{ BUCKET_NAME: 'my-data-lake', RUN_DATE: '2024-10-21' },
          ...env,
          ...((await prepare?.({ server, folder })) ?? {}),
        },
        { args, cwd: folder, ...(uid !== undefined && process.getuid?.() === 0 ? { uid } : {}) },
      )
      const line = exit === 0 ? says : `Failed: ${says}`
      const pattern = line
        .split('…')
        .map(text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')
      assert.match(stderr, new RegExp(`^${pattern}$`, 'm'), stdout)
      assert.equal(code, exit)
      // What is known to be wrong without the server is told before it is asked.
      if (exit === 2 || (exit === 3 && prepare === undefined)) assert.deepEqual(server.seen, [])
    })
  }
})
