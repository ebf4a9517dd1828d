/** The one door out: every request is bounded, counted, ended by a signal, and its error turned into a `Failure`. */
import type { S3Client, S3ClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3'
import type { Command, FinalizeRequestMiddleware } from '@smithy/types'
import { untilAborted } from '../lib/abort'
import type { Slots } from '../lib/parallel'
import type { Capabilities } from './capabilities'
import { hideSecrets, toFailure } from './failure'

/** What one file, or the steps that serve all files, came to. */
export interface Stats {
  /** Bytes read from disk, each reading counted. */
  bytesRead: number
  /** HTTP requests, each attempt counted. */
  requests: number
  /** Bytes of file content in these requests. */
  bytesSent: number
  /** Bytes of the file that the server has acknowledged. */
  bytesLanded: number
  /** What a person should know though it is no failure. */
  readonly warnings: string[]
}

export function createStats(): Stats {
  return { bytesRead: 0, requests: 0, bytesSent: 0, bytesLanded: 0, warnings: [] }
}

/** One request, as the SDK has it. */
export type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Command<
  ServiceInputTypes,
  Input,
  ServiceOutputTypes,
  Output,
  S3ClientResolvedConfig
>

export type SendContent = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: S3Command<Input, Output>,
) => Promise<Output>

/** One bucket on one server. */
export interface S3 {
  readonly client: S3Client
  /** Sends a command whose `Body` is a Buffer. */
  readonly sendContent: SendContent
  /** Part of the input of every command: the bucket's name, and who must own it. */
  readonly address: { readonly Bucket: string; readonly ExpectedBucketOwner?: string }
  readonly capabilities: Capabilities
  /** Ends what is sent. */
  readonly signal: AbortSignal
  /** Counts what is sent. */
  readonly stats: Stats
  /**
   * Sends one command, with the SDK's attempts.
   * @param what for the message of a failure, such as `Upload of movies.csv`
   * @throws Failure
   */
  send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    what: string,
    command: S3Command<Input, Output>,
  ): Promise<Output>
  /** The same bucket, with another counter. */
  for(stats: Stats): S3
  /** The same bucket, with another end. */
  until(signal: AbortSignal): S3
}

/** So few bytes that they are sent in next to no time. */
const LITTLE_BYTES = 64 * 1024

type Fixed = Pick<S3, 'client' | 'sendContent' | 'address' | 'capabilities'>

/** @param signal ends the run: the client listens to it while a request is out */
export function createS3(fixed: Fixed, signal: AbortSignal): S3 {
  const build = (stats: Stats, end: AbortSignal): S3 => ({
    ...fixed,
    signal: end,
    stats,
    // A request with options of its own has its whole middleware put together again: 10 % of a small request.
    send: (what, command) => send(fixed, stats, end, end === signal ? undefined : { abortSignal: end }, what, command),
    for: other => build(other, end),
    until: other => build(stats, other),
  })
  return build(createStats(), signal)
}

async function send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  { client, sendContent, capabilities }: Fixed,
  stats: Stats,
  signal: AbortSignal,
  options: { abortSignal: AbortSignal } | undefined,
  what: string,
  command: S3Command<Input, Output>,
): Promise<Output> {
  const { input } = command
  const content = 'Body' in input && Buffer.isBuffer(input.Body) ? input.Body : undefined
  const bytes = content?.length ?? 0
  const count = (attempts = 1) => {
    stats.requests += attempts
    stats.bytesSent += attempts * bytes
  }
  const begun = performance.now()
  try {
    signal.throwIfAborted()
    // The client listens to the signal while a request is out, but not while it waits to try again.
    const isUsual = content === undefined || options !== undefined
    const sending = isUsual ? client.send(command, options) : sendContent(command)
    const answer = await untilAborted(sending, signal)
    count(answer.$metadata.attempts)
    if (bytes <= LITTLE_BYTES) capabilities.roundTripMs = Math.min(capabilities.roundTripMs, performance.now() - begun)
    return answer
  } catch (error) {
    count((error as Partial<ServiceOutputTypes>).$metadata?.attempts)
    signal.throwIfAborted()
    hideSecrets(error, await untilAborted(listSecrets(client), signal))
    throw toFailure(error, what)
  } finally {
    // The client keeps the first command of each kind, and would keep its body.
    if ('Body' in input) Object.assign(input, { Body: undefined })
  }
}

/**
 * Has every attempt of what goes through `stack` take one of the `slots`. An attempt waits before it is signed, since a signature is
 * valid for 15 minutes only; a pause between attempts holds no slot.
 */
export function boundRequests(stack: S3Client['middlewareStack'], slots: Slots): void {
  const takeSlot: FinalizeRequestMiddleware<ServiceInputTypes, ServiceOutputTypes> = next => args =>
    slots(() => next(args))
  stack.addRelativeTo(takeSlot, { relation: 'after', toMiddleware: 'retryMiddleware', name: 'takeSlot' })
}

/** None if there are no credentials any more: the request was then not signed, and no server can repeat them. */
async function listSecrets(client: S3Client): Promise<string[]> {
  try {
    const { secretAccessKey, sessionToken } = await client.config.credentials()
    return [secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])]
  } catch {
    return []
  }
}
