/** What the server turned out to understand: learnt from its refusals, told once, and kept to for the rest of the run. */
import { setTimeout as sleep } from 'node:timers/promises'
import { toBase64 } from '../lib/crc32'
import { isDamaged, nameError, refusesChecksums, refusesHeader, refusesUnsignedBody, statusOf } from './failure'

interface Feature {
  /** Whether `error` may come from the use of it. */
  isRefused(error: unknown): boolean
  /** AWS has it, so that only another server may lack it. */
  readonly isOnAws: boolean
  /** What a person is told if the server lacks it, with the reason that the server gave. */
  news(reason: string): string
}

/** What the program can do without, by what it uses. */
const FEATURES = {
  /** Over TLS a bucket policy, too, can ask for signed bodies. */
  unsignedBodies: {
    isRefused: refusesUnsignedBody,
    isOnAws: false,
    news: reason => `the server refuses unsigned bodies (${reason}): the program signs them now`,
  },
  checksums: {
    isRefused: refusesChecksums,
    isOnAws: true,
    news: reason => `the server refuses checksums (${reason}): the program compares its MD5 ETags instead`,
  },
  /** In CompleteMultipartUpload without a condition, which some servers refuse with 412 (GCS). */
  completionChecksums: {
    isRefused: error => statusOf(error) === 412 || refusesChecksums(error),
    isOnAws: true,
    news: reason =>
      `the server refuses checksums when an upload is completed (${reason}): the program compares what it stored`,
  },
  /** `x-amz-checksum-mode` in HeadObject, whose refusal has no body and gives no reason. */
  checksumMode: {
    isRefused: error => statusOf(error) === 400 || statusOf(error) === 501,
    isOnAws: true,
    news: reason => `the server refuses to be asked for checksums (${reason}): the program compares its ETags instead`,
  },
  /** `x-amz-mp-object-size` in CompleteMultipartUpload. */
  objectSize: {
    isRefused: error => refusesHeader(error, /mp-object-size/i),
    isOnAws: true,
    news: reason => `the server refuses x-amz-mp-object-size (${reason}): the program looks at the size afterwards`,
  },
  /** ETags of 32 hexadecimal digits that are MD5s: see `verify`, which finds out that they are not. */
  md5Etags: {
    isRefused: () => false,
    isOnAws: true,
    news: () =>
      'the ETags of this server are no MD5s: the program sends Content-MD5 instead, which the server compares',
  },
  /** `If-None-Match`. */
  conditions: {
    isRefused: error => refusesHeader(error, /if-none-match/i),
    isOnAws: true,
    news: reason =>
      `the server refuses If-None-Match (${reason}): the program looks right before it writes, and what others write in that moment may be written over`,
  },
} as const satisfies Record<string, Feature>

export type FeatureName = keyof typeof FEATURES

interface Lack {
  /** What the server said. */
  readonly reason: string
  isTold: boolean
}

export interface Capabilities {
  /** What the server was found to lack. */
  readonly lacks: Map<FeatureName, Lack>
  /** The program has tried whether the server obeys `If-None-Match`. */
  isConditionTried: boolean
  /** The bucket was created a moment ago: a server of many machines may not know it everywhere yet. */
  isBucketNew: boolean
  /** Not AWS: the server may lack something. */
  readonly isCustom: boolean
  /** Milliseconds that the fastest request with little or no content took. */
  roundTripMs: number
}

/** A server on this machine or in the same rack answers sooner, AWS hardly ever. */
const FAR_MS = 10

/** Whether the server is so far away that only many requests at once fill the network. */
export const isFar = ({ roundTripMs }: Capabilities) => roundTripMs > FAR_MS

/** Attempts to send one thing, each with the SDK's own attempts, before its trouble is taken for lasting. */
export const MAX_SENDS = 5
/** Before the second attempt. Each further one waits twice as long. */
const FIRST_PAUSE_MS = 500

interface Sender {
  readonly capabilities: Capabilities
  readonly signal: AbortSignal
  readonly stats: { readonly warnings: string[] }
}

/**
 * `attempt`, and again if its refusal taught something or may pass.
 * @param uses what the attempt uses unless the server lacks it, the first suspect first
 * @param attempt builds its command anew each time
 * @param most sends of what may pass
 * @throws Failure of the last attempt
 */
export async function withFallback<Result>(
  s3: Sender,
  uses: readonly FeatureName[],
  attempt: () => Promise<Result>,
  most = MAX_SENDS,
): Promise<Result> {
  const { lacks } = s3.capabilities
  const learnt: FeatureName[] = []
  for (let sends = 1; ; ) {
    const used = uses.filter(name => !lacks.has(name))
    try {
      const result = await attempt()
      // Told only now: a request that stays refused was refused for another reason.
      for (const name of uses) tell(s3, name)
      return result
    } catch (error) {
      const suspect = used.find(name => {
        const { isOnAws, isRefused } = FEATURES[name]
        return (s3.capabilities.isCustom || !isOnAws) && isRefused(error)
      })
      if (suspect !== undefined) {
        // Another file may have learnt the same in the meantime.
        if (!lacks.has(suspect)) learnt.push(suspect)
        lacks.set(suspect, lacks.get(suspect) ?? { reason: nameError(error), isTold: false })
      } else if (sends < most && mayPass(s3.capabilities, error)) {
        await pauseAfter(sends, s3.signal)
        sends += 1
      } else {
        for (const name of learnt) if (lacks.get(name)?.isTold === false) lacks.delete(name)
        throw error
      }
    }
  }
}

/** Tells once a run that the server lacks something. */
function tell({ capabilities, stats }: Pick<Sender, 'capabilities' | 'stats'>, name: FeatureName): void {
  const lack = capabilities.lacks.get(name)
  if (lack === undefined || lack.isTold) return
  lack.isTold = true
  stats.warnings.push(FEATURES[name].news(lack.reason))
}

/** Keeps in mind, and tells once a run, that the server lacks something. */
export function learnLack(s3: Pick<Sender, 'capabilities' | 'stats'>, name: FeatureName, reason: string): void {
  const { lacks } = s3.capabilities
  if (!lacks.has(name)) lacks.set(name, { reason, isTold: false })
  tell(s3, name)
}

/** Waits before the attempt that follows attempt number `sends`. */
export async function pauseAfter(sends: number, signal: AbortSignal): Promise<void> {
  await sleep(FIRST_PAUSE_MS * 2 ** (sends - 1), undefined, { signal }).catch(() => signal.throwIfAborted())
}

/** What was damaged on its way may arrive the next time, and the next machine may know a new bucket. */
function mayPass({ isBucketNew }: Capabilities, error: unknown): boolean {
  return isDamaged(error) || (isBucketNew && nameError(error) === 'NoSuchBucket')
}

/** The checksum of a body. Some servers look at the value only if the algorithm is named, too. */
export function checksumOf(
  { lacks }: Capabilities,
  crc: number,
): { ChecksumAlgorithm?: 'CRC32'; ChecksumCRC32?: string } {
  return lacks.has('checksums') ? {} : { ChecksumAlgorithm: 'CRC32', ChecksumCRC32: toBase64(crc) }
}
