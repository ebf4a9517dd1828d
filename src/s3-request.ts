/** How every request goes out: cancelled by the run's signal, counted, and its errors turned into ours. */
import type { S3Client } from '@aws-sdk/client-s3'
import { toFailure } from './s3-failure'

/** The bucket, as every request needs it. */
export interface Bucket {
  readonly client: S3Client
  /** Present in the input of every command: the name, and who must own it. */
  readonly address: { readonly Bucket: string; readonly ExpectedBucketOwner?: string }
  readonly signal: AbortSignal
}

/** What the requests for one file, or one step, came to. */
export interface Tally {
  /** HTTP requests, those that were tried again included. */
  requests: number
  /** Bytes of file content in them. */
  bytesSent: number
  /** What a person should know though it is no failure. */
  readonly warnings: string[]
}

export function startTally(): Tally {
  return { requests: 0, bytesSent: 0, warnings: [] }
}

export function addressBucket(
  client: S3Client,
  config: { readonly bucket: string; readonly bucketOwner: string | undefined },
  signal: AbortSignal,
): Bucket {
  const owner = config.bucketOwner === undefined ? {} : { ExpectedBucketOwner: config.bucketOwner }
  return { client, address: { Bucket: config.bucket, ...owner }, signal }
}

interface Answer {
  readonly $metadata: { readonly attempts?: number | undefined }
}

/**
 * Sends one command and counts its attempts.
 * @param what for the message of a failure, such as `Upload of movies.csv`
 * @throws Failure
 */
export async function request<Output extends Answer>(
  { signal }: Pick<Bucket, 'signal'>,
  what: string,
  tally: Tally,
  send: (options: { abortSignal: AbortSignal }) => Promise<Output>,
  bodyBytes = 0,
): Promise<Output> {
  const count = (attempts = 1) => {
    tally.requests += attempts
    tally.bytesSent += attempts * bodyBytes
  }
  try {
    const answer = await send({ abortSignal: signal })
    count(answer.$metadata.attempts)
    return answer
  } catch (error) {
    count((error as Partial<Answer>).$metadata?.attempts)
    signal.throwIfAborted()
    throw toFailure(error, what)
  }
}
