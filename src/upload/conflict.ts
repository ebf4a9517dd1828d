/** "Do not write over": what the rules ask for if a key holds other content, before a write, at it and after it. */
import { FileFailure } from '../errors'
import type { FeatureName } from '../s3/capabilities'
import { nameError, statusOf } from '../s3/failure'
import { headObject } from '../s3/objects'
import { compareWithObject, type Existing } from './compare'
import type { Delivery, DigestOf, Put } from './delivery'

/** The rules protect what a key holds. */
export function isProtected({ rules }: Delivery): boolean {
  return rules.onConflict !== 'overwrite'
}

/** If the rules say so, a write must not replace an object, whoever wrote it in the meantime. */
export function conditionOf(delivery: Delivery): { readonly IfNoneMatch?: '*' } {
  return isProtected(delivery) && !delivery.s3.capabilities.lacks.has('conditions') ? { IfNoneMatch: '*' } : {}
}

/** For `withFallback`: what `conditionOf` uses. */
export function featuresOf(delivery: Delivery): readonly FeatureName[] {
  return isProtected(delivery) ? ['conditions'] : []
}

/**
 * What becomes of a file whose key holds `existing`: `undefined` if it is to be sent.
 * @throws FileFailure `conflict`
 */
export function leaveAlone(delivery: Delivery, existing: Existing): Put | undefined {
  const { key, rules } = delivery
  if (existing.content === 'same') return { outcome: 'unchanged', etag: existing.etag, versionId: existing.versionId }
  if (existing.content !== 'other' || !isProtected(delivery)) return undefined
  if (rules.onConflict === 'keep') return withoutObject(rules.dryRun ? 'would-keep' : 'kept')
  throw new FileFailure(`${key} holds other content, and ON_CONFLICT is fail.`, {
    code: 'conflict',
    advice: 'Compare the two; then upload with another date, or with ON_CONFLICT=overwrite.',
  })
}

/** Nothing is known of an object. */
export function withoutObject(outcome: Put['outcome']): Put {
  return { outcome, etag: undefined, versionId: undefined }
}

/**
 * Looks at a protected key right before a write, if the server does not know the condition. That leaves only the moment
 * in between.
 * @throws FileFailure `conflict` if the key holds something by now
 */
export async function assertMayWrite(delivery: Delivery): Promise<void> {
  if (isProtected(delivery) && delivery.s3.capabilities.lacks.has('conditions')) await assertNotTaken(delivery)
}

/**
 * The same, whatever the server knows: some obey a condition when an object is put, and ignore it when one is completed.
 * @throws FileFailure `conflict` if the key holds something by now
 */
export async function assertNotTaken({ s3, key }: Delivery): Promise<void> {
  const head = await headObject(s3, key)
  if (head === undefined || head === 'denied') return
  throw new FileFailure(`${key} was written by somebody else in the meantime.`, {
    code: 'conflict',
    advice: 'Find out who else writes there; then upload with another date, or with ON_CONFLICT=overwrite.',
  })
}

/**
 * After a write that the server refused with `error` because of what the key holds: what becomes of the file.
 * `undefined` if it is to be sent again.
 * @throws `error` if it has another cause, or a Failure
 */
export async function settleConflict(delivery: Delivery, error: unknown, digestOf: DigestOf): Promise<Put | undefined> {
  // Two writes at the same moment: S3 asks for another attempt.
  if (nameError(error) === 'ConditionalRequestConflict') return undefined
  const isRefused = statusOf(error) === 412 && isProtected(delivery)
  const isTaken = error instanceof FileFailure && error.code === 'conflict'
  if (!isRefused && !isTaken) throw error
  // An answer may have been lost: the object may be the one that was sent.
  const existing = await compareWithObject(delivery, digestOf)
  if (existing.content !== 'none') return leaveAlone(delivery, existing) ?? leaveAlone(delivery, { content: 'other' })
  return undefined
}
