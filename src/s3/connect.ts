/** One S3 client for the whole run, and the bucket as it addresses it. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { AdaptiveRetryStrategy } from '@smithy/core/retry'
import { CredentialsFailure } from '../errors'
import { untilAborted } from '../stop-signal'
import { type Bodies, tuneBodies } from './body'
import type { Dialect } from './capabilities'
import type { Bucket } from './request'

export interface StaticCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** One server, and the bucket on it. */
export interface S3Options {
  /** `undefined`: the AWS default chain decides. */
  readonly credentials: StaticCredentials | undefined
  /** `undefined`: the profile's region, then us-east-1. */
  readonly region: string | undefined
  /** `undefined`: AWS. */
  readonly endpoint: string | undefined
  readonly forcePathStyle: boolean
  readonly bucket: string
  /** The 12-digit id of the account that must own the bucket. */
  readonly bucketOwner: string | undefined
  /** Requests in flight at most. */
  readonly concurrency: number
}

/** Where neither the configuration nor a profile names a region. */
export const DEFAULT_REGION = 'us-east-1'

/**
 * Attempts for each request, the first one included. Before each further one passes a random time of up to twice as
 * much as before the last one, and up to 20 s: half a minute of trouble is waited out.
 */
const MAX_ATTEMPTS = 7
const FIRST_PAUSE_MS = 500

const CONNECTION_TIMEOUT_MS = 10_000
/** A socket on which nothing moves for this long is given up; a slow one that does move is not. */
const STALL_TIMEOUT_MS = 60_000

/**
 * The bucket at the configured endpoint, with credentials that are there: no request is made yet, but for those of the
 * AWS default chain.
 * @throws CredentialsFailure where there are none.
 */
export async function connect(config: S3Options, signal: AbortSignal): Promise<Bucket> {
  const client = await withRegion({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    // A copy, because the SDK writes into what it is given.
    ...(config.credentials === undefined ? {} : { credentials: { ...config.credentials } }),
    forcePathStyle: config.forcePathStyle,
    maxAttempts: MAX_ATTEMPTS,
    // What a kind of request goes through is put together once, and not for each: a tenth of the time of a small one. Only
    // a request with options of its own has all of it put together again.
    cacheMiddleware: true,
    // A round trip, and with this SDK a connection, more for each part.
    expectContinueHeader: false,
    // Bodies carry their own checksum; where a server refuses it, the SDK must not put another in its place.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // Sends less while it is told to slow down, whose pauses start at a second; goes by Retry-After, within 5 s of them.
    retryStrategy: new AdaptiveRetryStrategy(MAX_ATTEMPTS, { baseDelay: FIRST_PAUSE_MS }),
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: STALL_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: config.concurrency },
      httpsAgent: { keepAlive: true, maxSockets: config.concurrency },
    },
  })
  listenWhileOut(client, signal)
  try {
    await untilAborted(client.config.credentials(), signal)
  } catch (cause) {
    signal.throwIfAborted()
    throw new CredentialsFailure(`No AWS credentials were found${explain(cause)}.`, {
      code: 'credentials',
      advice:
        'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment or in .env, or AWS_PROFILE to a profile that ~/.aws/config has, or give the machine a role.',
      cause,
    })
  }
  const owner = config.bucketOwner === undefined ? {} : { ExpectedBucketOwner: config.bucketOwner }
  const dialect: Dialect = {
    sendsChecksums: true,
    comparesChecksums: false,
    signsBodies: /^http:/i.test(config.endpoint ?? ''),
    mayFallBack: config.endpoint !== undefined,
    isConditionTried: false,
    news: undefined,
  }
  const bodies: Bodies = new WeakMap()
  tuneBodies(client, bodies, dialect)
  return { client, address: { Bucket: config.bucket, ...owner }, signal, dialect, bodies }
}

/**
 * Has each request end with `signal`, but for one that is given a signal of its own: one that is given none goes the way
 * that the client remembers.
 */
function listenWhileOut({ config: { requestHandler } }: S3Client, signal: AbortSignal): void {
  const handle = requestHandler.handle.bind(requestHandler)
  requestHandler.handle = (request, options) => handle(request, { abortSignal: signal, ...options })
}

/** Why the chain has none, where it says more than that; but not the command line of a `credential_process`. */
function explain(cause: unknown): string {
  const said = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '').replace(/\.$/, '') : ''
  if (said === '' || said.startsWith('Could not load credentials from any')) return ''
  return ` (${said.startsWith('Command failed') ? 'credential_process failed' : said})`
}

async function withRegion(options: S3ClientConfig): Promise<S3Client> {
  const client = new S3Client(options)
  try {
    await client.config.region()
    return client
  } catch {
    client.destroy()
    return new S3Client({ ...options, region: DEFAULT_REGION })
  }
}
