/** What the server turned out to understand: learnt once, and kept to for the rest of the run. */
import { nameError, refusesChecksums, refusesUnsignedBody } from './failure'

export interface Dialect {
  /** Whether CRC-32s go with what is sent. */
  sendsChecksums: boolean
  /**
   * Whether it gives them back, and is taken to have compared them with what arrived.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
   */
  comparesChecksums: boolean
  /** Whether bodies are signed, and not only their checksums: over plain HTTP, or where the server insists. */
  signsBodies: boolean
  /** Whether it was tried what the server makes of `If-None-Match`. */
  isConditionTried: boolean
  /** Whether there may be a server that knows nothing of checksums: only where it is not AWS. */
  readonly mayFallBack: boolean
  /** What the user is to be told once something was sent in the new way. */
  news: string | undefined
}

/**
 * Whether `error` may come from the way a request was `sent`, so that it may pass in the way in which `dialect` sends
 * from now on.
 */
export function learn(dialect: Dialect, sent: Readonly<Dialect>, error: unknown): boolean {
  const reason = nameError(error)
  if (!sent.signsBodies && refusesUnsignedBody(error)) {
    if (!dialect.signsBodies)
      dialect.news = `the server refuses unsigned bodies (${reason}): from here on they are signed`
    dialect.signsBodies = true
    return true
  }
  if (!sent.sendsChecksums || !dialect.mayFallBack || !refusesChecksums(error)) return false
  if (dialect.sendsChecksums) {
    dialect.news = `the server refuses checksums (${reason}): from here on its MD5 ETags are compared instead`
  }
  dialect.sendsChecksums = false
  return true
}
