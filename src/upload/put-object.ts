/** Decides what a file needs, sends it, and checks what the server says it stored. */
import { setTimeout as sleep } from 'node:timers/promises'
import { FileFailure } from '../errors'
import { learn } from '../s3/capabilities'
import { isDamaged, nameError, statusOf } from '../s3/failure'
import { bareEtag, headObject, type Listing } from '../s3/objects'
import { compareWithListed, compareWithObject, type Existing } from './compare'
import type { Delivery } from './delivery'
import { uploadParts } from './multipart'
import { expectSame, nameVersion, verifyObject } from './verify'
import { noticeIgnoredCondition, uploadWhole } from './whole'

/** Memory of a comparison that has to read the file: two chunks. */
const COMPARISON_BYTES = 1024 * 1024

/** Sends of one file, each with the SDK's own attempts, before its trouble is taken for lasting. */
const MAX_SENDS = 5
/** Before the second send; twice as long before each further one. */
const FIRST_PAUSE_MS = 500

export interface Put {
  readonly outcome: 'uploaded' | 'unchanged' | 'kept' | 'would-upload' | 'would-keep'
  readonly etag: string | undefined
  readonly versionId: string | undefined
}

/**
 * Brings the object under the delivery's key in line with its file: nothing is sent where it holds the same content.
 * @param listing what was known of the run's keys before anything was sent
 * @throws Failure
 */
export async function putObject(delivery: Delivery, listing: Listing): Promise<Put> {
  const { budget, rules } = delivery
  const existing = await budget.run(COMPARISON_BYTES, () => compareWithListed(delivery, listing))
  if (existing.content === 'same' || (existing.content === 'other' && rules.onConflict !== 'overwrite')) {
    return leaveAlone(delivery, existing)
  }
  return rules.dryRun ? withoutObject('would-upload') : await send(delivery)
}

async function send(delivery: Delivery): Promise<Put> {
  const { bucket, file, budget, tally } = delivery
  for (let sends = 1; ; sends += 1) {
    const sent = { ...bucket.dialect }
    try {
      const isWhole = file.size <= file.partSize
      let landed = await (isWhole ? uploadWhole(delivery) : uploadParts(delivery))
      if (landed.etag === undefined) throw notS3(delivery)
      if (isWhole) landed = await noticeIgnoredCondition(delivery, landed)
      if (!landed.isVerified) await verifyByHead(delivery)
      if (bucket.dialect.news !== undefined) tally.warnings.push(bucket.dialect.news)
      bucket.dialect.news = undefined
      return { outcome: 'uploaded', etag: bareEtag(landed.etag), versionId: landed.versionId }
    } catch (error) {
      const reason = nameError(error)
      const isTaken = statusOf(error) === 412 || (error instanceof FileFailure && error.code === 'conflict')
      if (isTaken || reason === 'NoSuchUpload') {
        // An answer may have been lost: what stands there now may be what was sent.
        const existing = await budget.run(COMPARISON_BYTES, () => compareWithObject(delivery))
        if (existing.content === 'same' || (existing.content !== 'none' && isTaken)) {
          return leaveAlone(delivery, existing)
        }
      }
      const mayPass =
        learn(bucket.dialect, sent, error) ||
        isDamaged(error) ||
        ['ConditionalRequestConflict', 'PreconditionFailed'].includes(reason) ||
        // An upload that disappears twice is somebody's doing.
        (reason === 'NoSuchUpload' && sends === 1) ||
        (reason === 'NoSuchBucket' && bucket.isNew === true)
      if (!mayPass || sends === MAX_SENDS) throw error
      await sleep(FIRST_PAUSE_MS * 2 ** (sends - 1), undefined, { signal: bucket.signal }).catch(() =>
        bucket.signal.throwIfAborted(),
      )
    }
  }
}

/** For a key that is not to be written: it has the same content, or the rules protect what it has. */
function leaveAlone({ key, rules }: Delivery, existing: Existing): Put {
  if (existing.content === 'same') return { outcome: 'unchanged', etag: existing.etag, versionId: existing.versionId }
  if (rules.onConflict === 'keep') return withoutObject(rules.dryRun ? 'would-keep' : 'kept')
  throw new FileFailure(`${key} holds other content, and ON_CONFLICT is fail.`, {
    code: 'conflict',
    advice: 'Compare the two; then upload with another date, or with ON_CONFLICT=overwrite.',
  })
}

/** Nothing is known of an object. */
function withoutObject(outcome: Put['outcome']): Put {
  return { outcome, etag: undefined, versionId: undefined }
}

/** Every S3 server gives what it stored an ETag; a console, a portal or a proxy may say 200 to anything. */
function notS3({ file }: Delivery): FileFailure {
  return new FileFailure(`The upload of ${file.name} was answered without an ETag: nothing says that it landed.`, {
    code: 'verify_mismatch',
    advice: 'Check the endpoint: this is not an S3 server, or something else answers in its place.',
  })
}

/** For a write whose own answer carried nothing to compare. */
async function verifyByHead({ bucket, file, key, budget, tally }: Delivery): Promise<void> {
  const head = await budget.run(0, () => headObject(bucket, key, tally))
  if (head === undefined) {
    throw new FileFailure(`${key} is not there, though the server took it.`, {
      code: 'verify_mismatch',
      advice: 'Start the run again, and look into what stands between here and the server.',
      retryable: true,
    })
  }
  if (head === 'denied')
    return void tally.warnings.push('not verifiable: these credentials may not look at what is stored')
  if (head.ContentLength !== undefined) {
    expectSame(nameVersion(key, head), 'size', String(file.size), String(head.ContentLength))
  }
  if (!verifyObject(head, file, key)) {
    tally.warnings.push('not verifiable: the server gives no checksum of what it stored')
  }
}
