/** One S3 client for the whole run, and the bucket as it addresses it. */
import { S3Client } from '@aws-sdk/client-s3'
import { AdaptiveRetryStrategy, INITIAL_RETRY_TOKENS } from '@smithy/core/retry'
import { CredentialsFailure } from '../errors'
import { untilAborted } from '../lib/abort'
import { createSlots } from '../lib/parallel'
import { createAgents, type Network, openAhead, provideCredentials } from './agents'
import type { Capabilities } from './capabilities'
import { nameError, statusOf } from './failure'
import { boundRequests, createS3, type S3 } from './request'
import { createContentSender } from './send-content'
import { createTransport } from './transport'

export interface StaticCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** One server, and the bucket on it. */
export interface S3Options {
  /** `undefined`: the AWS default chain decides. */
  readonly credentials: StaticCredentials | undefined
  /** `undefined`: us-east-1, and if the bucket is in another region, that one. */
  readonly region: string | undefined
  /** `undefined`: AWS. */
  readonly endpoint: string | undefined
  readonly forcePathStyle: boolean
  readonly bucket: string
  /** The 12-digit account id that must own the bucket. */
  readonly bucketOwner: string | undefined
  /** Requests in flight at most. */
  readonly concurrency: number
  readonly network: Network
}

/** A request that failed, and is sent again. */
export interface Retry {
  /** What the server called it, or what kept it from answering. */
  readonly reason: string
  readonly status?: number
  /** The attempt that failed, from 1. */
  readonly attempt: number
  readonly attempts: number
  /** Until the next attempt. */
  readonly seconds: number
}

/** The region if neither the configuration nor a profile names one. */
export const DEFAULT_REGION = 'us-east-1'

/**
 * Attempts for each request, the first one included. Before each further one passes a random time of up to twice as
 * much as before the last one, and up to 20 s: half a minute of trouble is waited out.
 */
const MAX_ATTEMPTS = 7
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 20_000

/** Connections that are opened before they are needed. A short run gains by them; for a long one, more would not show. */
const MOST_AHEAD = 3

/**
 * The bucket at the configured endpoint, with credentials that are there. No request is made yet, except those of the
 * AWS default chain.
 * @param onRetry is told of every request that is sent again
 * @param files that will be sent
 * @throws CredentialsFailure if there are none
 */
export async function connect(
  options: S3Options,
  signal: AbortSignal,
  onRetry: (retry: Retry) => void,
  files: number,
): Promise<S3> {
  const { region, endpoint, credentials, forcePathStyle, bucket, bucketOwner, concurrency, network } = options
  const agents = await createAgents(network, concurrency)
  const client = new S3Client({
    // Always given: without one the SDK asks the instance metadata service, which off AWS takes seconds.
    region: region ?? DEFAULT_REGION,
    ...(endpoint === undefined ? {} : { endpoint }),
    // A copy: the SDK writes into it.
    ...(credentials === undefined ? {} : { credentials: { ...credentials } }),
    forcePathStyle,
    maxAttempts: MAX_ATTEMPTS,
    // Reuse the resolved middleware per command class: 10 % of a small request.
    cacheMiddleware: true,
    // A round trip, and with this SDK a connection, more for each part.
    expectContinueHeader: false,
    // Bodies carry their own checksum. If a server refuses it, the SDK must not put another one in its place.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    // Sends less while the server says SlowDown, whose pauses start at a second. Goes by Retry-After, within 5 s of them.
    retryStrategy: createRetryStrategy(concurrency, onRetry),
    requestHandler: createTransport(agents, signal),
    credentialDefaultProvider: provideCredentials,
  })
  try {
    await untilAborted(client.config.credentials(), signal)
  } catch (cause) {
    signal.throwIfAborted()
    throw new CredentialsFailure(`No AWS credentials were found${describeCause(cause)}.`, {
      code: 'credentials',
      advice:
        'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment or in .env, or AWS_PROFILE to a profile that ~/.aws/config has, or give the machine a role.',
      cause,
    })
  }
  // Now, since the credentials may have come over connections of their own.
  for (const agent of Object.values(agents)) openAhead(agent, Math.min(files, concurrency, MOST_AHEAD + 1) - 1)
  const owner = bucketOwner === undefined ? {} : { ExpectedBucketOwner: bucketOwner }
  const capabilities: Capabilities = {
    // Plain HTTP protects no body: its signature must.
    lacks: new Map(/^http:/i.test(endpoint ?? '') ? [['unsignedBodies', { reason: '', isTold: true }]] : []),
    isConditionTried: false,
    isBucketNew: false,
    isCustom: endpoint !== undefined,
    roundTripMs: Number.POSITIVE_INFINITY,
  }
  const slots = createSlots(concurrency)
  boundRequests(client.middlewareStack, slots)
  const sendContent = createContentSender(client, capabilities, slots)
  return createS3({ client, sendContent, address: { Bucket: bucket, ...owner }, capabilities }, signal)
}

/** Where the SDK's strategy asks what a repeat costs: its types leave it out, and no option sets it. */
interface Priced {
  readonly standardRetryStrategy: { getCapacityCost(errorType: string): number }
}

/**
 * The SDK's own, which tells of each retry before it waits. The SDK has one quota of repeats for the whole client: 35,
 * and what success refills. With 16 requests in flight an outage of two seconds would use it up. Here a repeat costs less
 * of it, so that as many requests as may be in flight can be tried to the end. A server that stays away still ends the
 * run soon.
 */
function createRetryStrategy(concurrency: number, onRetry: (retry: Retry) => void): AdaptiveRetryStrategy {
  /** What failed, in the order in which the strategy then asks for the pauses. */
  const failed: unknown[] = []
  let base = FIRST_PAUSE_MS
  const backoff = {
    setDelayBase: (ms: number) => {
      base = ms
    },
    computeNextBackoffDelay: (attempts: number) => {
      const pause = Math.floor(Math.random() * Math.min(base * 2 ** attempts, MAX_PAUSE_MS))
      const error = failed.shift()
      const status = statusOf(error)
      onRetry({
        reason: nameError(error),
        ...(status === undefined ? {} : { status }),
        attempt: attempts + 1,
        attempts: MAX_ATTEMPTS,
        seconds: pause / 1000,
      })
      return pause
    },
  }
  const strategy = new AdaptiveRetryStrategy(MAX_ATTEMPTS, { baseDelay: FIRST_PAUSE_MS, backoff })
  const refresh = strategy.refreshRetryTokenForRetry.bind(strategy)
  strategy.refreshRetryTokenForRetry = async (token, info) => {
    failed.push(info.error)
    return await refresh(token, info).catch(refusal => {
      // No further attempt is allowed: no pause was asked for.
      const at = failed.indexOf(info.error)
      if (at !== -1) failed.splice(at, 1)
      throw refusal
    })
  }
  const { standardRetryStrategy: quota } = strategy as unknown as Priced
  const priceOf = quota.getCapacityCost.bind(quota)
  const most = INITIAL_RETRY_TOKENS / (concurrency * (MAX_ATTEMPTS - 1) + 1)
  quota.getCapacityCost = errorType => Math.min(priceOf(errorType), most)
  return strategy
}

/** Why the chain has none, if it says more than that, without the command line of a `credential_process`. */
function describeCause(cause: unknown): string {
  const said = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '').replace(/\.$/, '') : ''
  if (said === '' || said.startsWith('Could not load credentials from any')) return ''
  return ` (${said.startsWith('Command failed') ? 'credential_process failed' : said})`
}
