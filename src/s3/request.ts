/** How every request goes out: cancelled by the run's signal, counted, and its errors turned into ours. */
import type { S3Client } from '@aws-sdk/client-s3'
import { toBase64 } from '../lib/crc32'
import { untilAborted } from '../stop-signal'
import type { Bodies } from './body'
import type { Dialect } from './capabilities'
import { hideSecrets, toFailure } from './failure'

/** The bucket, as every request needs it. */
export interface Bucket {
  readonly client: S3Client
  /** Present in the input of every command: the name, and who must own it. */
  readonly address: { readonly Bucket: string; readonly ExpectedBucketOwner?: string }
  /** Ends the run. */
  readonly signal: AbortSignal
  /** In place of `signal`, for what is still to be brought to an end. */
  readonly grace?: AbortSignal
  readonly dialect: Dialect
  /** It was created a moment ago: a server of many machines may not know it everywhere yet. */
  readonly isNew?: boolean
  readonly bodies: Bodies
}

/** What one file, or one step, came to. */
export interface Tally {
  /** Bytes read of the file, the first of the two times. */
  bytesRead: number
  /** HTTP requests, those that were tried again included. */
  requests: number
  /** Bytes of file content that left in them. */
  bytesSent: number
  /** What a person should know though it is no failure. */
  readonly warnings: string[]
}

export function startTally(): Tally {
  return { bytesRead: 0, requests: 0, bytesSent: 0, warnings: [] }
}

/** The checksum of a body. Some servers look at the value only where the algorithm is named, too. */
export function checksumHeaders(
  { dialect }: Bucket,
  crc: number,
): { ChecksumAlgorithm?: 'CRC32'; ChecksumCRC32?: string } {
  return dialect.sendsChecksums ? { ChecksumAlgorithm: 'CRC32', ChecksumCRC32: toBase64(crc) } : {}
}

interface Answer {
  readonly $metadata: { readonly attempts?: number | undefined }
}

/**
 * Sends one command and counts its attempts.
 * @param what for the message of a failure, such as `Upload of movies.csv`
 * @param input of the command, where its body is content of a file: that is counted as it leaves, and let go of in the end,
 *   since the client keeps the first command of each kind
 * @throws Failure
 */
export async function request<Output extends Answer>(
  { client, signal: runSignal, grace, bodies }: Bucket,
  what: string,
  tally: Tally,
  send: (options?: { abortSignal: AbortSignal }) => Promise<Output>,
  input?: { Body?: Buffer | undefined },
): Promise<Output> {
  const count = (attempts = 1) => {
    tally.requests += attempts
  }
  const signal = grace ?? runSignal
  if (input?.Body !== undefined) bodies.set(input.Body, tally)
  try {
    signal.throwIfAborted()
    // The client listens to the run's signal while a request is out, but not while it waits to try again.
    const answer = await untilAborted(send(grace === undefined ? undefined : { abortSignal: grace }), signal)
    count(answer.$metadata.attempts)
    return answer
  } catch (error) {
    count((error as Partial<Answer>).$metadata?.attempts)
    signal.throwIfAborted()
    hideSecrets(error, await untilAborted(listSecrets(client), signal))
    throw toFailure(error, what)
  } finally {
    if (input !== undefined) input.Body = undefined
  }
}

/** None where there are no credentials any more: the request was then not signed, and no server can repeat them. */
async function listSecrets(client: S3Client): Promise<string[]> {
  try {
    const { secretAccessKey, sessionToken } = await client.config.credentials()
    return [secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])]
  } catch {
    return []
  }
}
