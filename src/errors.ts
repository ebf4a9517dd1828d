/**
 * Every failure the program can end with. Each says what failed and on what (`message`), what to do about it
 * (`advice`), and which exit code it asks for. Anything thrown that is not a `Failure` is a bug.
 */

/** What went wrong, for programs: stable names, part of the JSON output. */
type FailureCode =
  | 'bad_config'
  | 'no_files'
  | 'key_collision'
  | 'key_not_possible'
  | 'credentials'
  | 'bucket'
  | 'csv_refused'
  | 'endpoint'
  | 'unreadable'
  | 'changed_while_reading'
  | 'too_large'
  | 'conflict'
  | 'refused_by_server'
  | 'verify_mismatch'
  | 'interrupted'
  | 'bug'

/** What an S3 server answered to the request that failed. */
export interface S3Answer {
  /** S3's name for it, such as `NoSuchBucket`; for an answer that is not S3's, `HTTP` and the status. */
  readonly code: string
  readonly status: number
  /** For who runs the server: its log has it. */
  readonly requestId?: string
}

interface FailureDetails {
  /** What to do, as one sentence. */
  readonly advice: string
  readonly code: FailureCode
  readonly cause?: unknown
  readonly s3?: S3Answer
}

/** A failure that was foreseen. `exitCode` is what the program ends with if nothing weightier happened. */
export abstract class Failure extends Error {
  abstract readonly exitCode: number
  /** Whether the same run, started again unchanged, may succeed. */
  readonly retryable: boolean = false
  readonly code: FailureCode
  readonly advice: string
  readonly s3: S3Answer | undefined

  constructor(message: string, details: FailureDetails) {
    super(message, { cause: details.cause })
    this.name = new.target.name
    this.code = details.code
    this.advice = details.advice
    this.s3 = details.s3
  }
}

/** Environment, arguments, or the set of files they lead to. */
export class ConfigFailure extends Failure {
  readonly exitCode = 2
}

/** Credentials are missing, expired or refused. */
export class CredentialsFailure extends Failure {
  readonly exitCode = 3
}

/** The bucket cannot be used. */
export class BucketFailure extends Failure {
  readonly exitCode = 4
}

/** `CSV_CHECK=strict` refused a file; nothing was sent. */
export class CsvFailure extends Failure {
  readonly exitCode = 5
}

/** The endpoint cannot be reached, or kept failing. */
export class EndpointFailure extends Failure {
  readonly exitCode = 6
  override readonly retryable = true
}

/** One file failed for a reason of its own; the others go on. */
export class FileFailure extends Failure {
  readonly exitCode = 1
  override readonly retryable: boolean

  constructor(message: string, details: FailureDetails & { readonly retryable?: boolean }) {
    super(message, details)
    this.retryable = details.retryable ?? false
  }
}

/** A signal ended the run: 128 + the signal's number, as shells count. */
export class InterruptedFailure extends Failure {
  readonly exitCode: number
  override readonly retryable = true

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`${signal} ended the run before every file was uploaded.`, {
      code: 'interrupted',
      advice: 'Start it again: what has landed is not sent twice.',
    })
    this.exitCode = signal === 'SIGINT' ? 130 : 143
  }
}

/** The outcome of a step for one file, which does not stop the others: anything but a failure is a bug, and goes on. */
export async function settle<Result>(step: () => Result | Promise<Result>): Promise<Result | Failure> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

/** `settle`, until a step is refused its credentials: that failure stands for every later step, which is not tried. */
export function settleUntilRefused(): typeof settle {
  let refused: CredentialsFailure | undefined
  return async step => {
    const settled = refused ?? (await settle(step))
    // A server may sign the key of one object in another way: the requests before have proved the secret.
    const isOfOne = settled instanceof CredentialsFailure && settled.s3?.code === 'SignatureDoesNotMatch'
    if (settled instanceof CredentialsFailure && !isOfOne) refused = settled
    return settled
  }
}

/** What `settle` held: the result, or the failure thrown again. */
export function unwrap<Result>(settled: Result | Failure): Result {
  if (settled instanceof Failure) throw settled
  return settled
}

/**
 * The exit code for a run whose files ended with `failures`: a signal's before all, else the one that they share, else 1.
 */
export function exitCodeOf(failures: readonly Failure[]): number {
  const codes = [...new Set(failures.map(failure => failure.exitCode))]
  return codes.find(code => code >= 128) ?? (codes.length > 1 ? 1 : (codes[0] ?? 0))
}

/** What the operating system calls `cause`, such as `ENOENT`. */
export function nameSystemError(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
}
