/** What the bucket holds under the keys of a run. */
import { HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { BucketFailure, FileFailure, InterruptedFailure } from '../errors'
import { withFallback } from './capabilities'
import { nameError, statusOf } from './failure'
import type { S3 } from './request'

/** Pages of up to 1,000 keys. Beyond them, as in a prefix with years of dates, one HeadObject a file is cheaper. */
const MAX_PAGES = 5

interface ListedObject {
  /** Bytes. */
  readonly size: number | undefined
  /** Without its quotes. */
  readonly etag: string | undefined
}

export interface Listing {
  /** A key that is not in the listing does not exist. */
  readonly isComplete: boolean
  readonly objects: ReadonlyMap<string, ListedObject>
}

/** The listing of a bucket that holds nothing. */
export const NOTHING: Listing = { isComplete: true, objects: new Map() }

/**
 * Lists what stands under the longest prefix that all `keys` share. A listing only saves requests: if the server or the
 * key does not allow it, the result is empty and not complete.
 * @throws Failure if the server cannot be reached, or refuses the credentials
 */
export async function listObjects(s3: S3, keys: readonly string[]): Promise<Listing> {
  const objects = new Map<string, ListedObject>()
  if (keys.length === 0) return NOTHING
  const Prefix = longestCommonPrefix(keys)
  const tokens = new Set<string>()
  /** A server that ignores the prefix has listed something else, and perhaps not all of ours. */
  let isOurs = true
  let from: { ContinuationToken?: string; StartAfter?: string } = {}
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await listPage(s3, { Prefix, ...from })
    if (answer === undefined) break
    const { Contents = [], IsTruncated, NextContinuationToken: token } = answer
    const known = objects.size
    isOurs &&= Contents.every(({ Key = '' }) => Key.startsWith(Prefix))
    for (const { Key = '', Size, ETag } of Contents) {
      if (Key.startsWith(Prefix)) objects.set(Key, { size: Size, etag: bareEtag(ETag) })
    }
    if (IsTruncated !== true && token === undefined) return { isComplete: isOurs, objects }
    // The same page again would go on for ever.
    if (objects.size === known) break
    const isFresh = token !== undefined && !tokens.has(token)
    // Some servers say that there is more, and give no token.
    from = isFresh ? { ContinuationToken: token } : { StartAfter: Contents.at(-1)?.Key ?? '' }
    if (isFresh) tokens.add(token)
  }
  return { isComplete: false, objects }
}

/** `undefined` if there is no answer to go by. */
async function listPage(s3: S3, page: { Prefix: string; ContinuationToken?: string; StartAfter?: string }) {
  try {
    return await s3.send('Listing the bucket', new ListObjectsV2Command({ ...s3.address, ...page }))
  } catch (error) {
    if (error instanceof BucketFailure || error instanceof FileFailure) return undefined
    // Each file says itself that the run was stopped.
    if (error instanceof InterruptedFailure) return undefined
    if ((statusOf(error) ?? 0) < 500) throw error
    s3.stats.warnings.push(
      `the listing of the bucket fails (${nameError(error)}): the program asks for each object instead`,
    )
    return undefined
  }
}

/**
 * The object under `key`, or one part of it (from 1), with its checksum. `undefined` if there is none, `denied` if the
 * key may not look.
 * @throws Failure
 */
export async function headObject(
  s3: S3,
  key: string,
  partNumber?: number,
): Promise<HeadObjectCommandOutput | 'denied' | undefined> {
  const part = partNumber === undefined ? {} : { PartNumber: partNumber }
  try {
    return await withFallback(s3, ['checksumMode'], () => {
      const mode = s3.capabilities.lacks.has('checksumMode') ? {} : ({ ChecksumMode: 'ENABLED' } as const)
      return s3.send(`Looking at ${key}`, new HeadObjectCommand({ ...s3.address, ...part, ...mode, Key: key }))
    })
  } catch (error) {
    const status = statusOf(error)
    if (status === 404) return undefined
    if (status === 403) return 'denied'
    throw error
  }
}

/** Without its quotes. Some servers complete an upload with an empty one. */
export function bareEtag(etag: string | undefined): string | undefined {
  return etag?.replace(/^"|"$/g, '') || undefined
}

/**
 * The MD5 of what is stored, in hexadecimal. `undefined` if the ETag is none: that of a multipart upload, or of what a
 * customer's or a KMS key encrypts. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
export function md5Of(stored: {
  readonly ETag?: string | undefined
  readonly ServerSideEncryption?: string | undefined
  readonly SSECustomerAlgorithm?: string | undefined
}): string | undefined {
  const etag = bareEtag(stored.ETag) ?? ''
  const isMd5 = stored.SSECustomerAlgorithm === undefined && !stored.ServerSideEncryption?.startsWith('aws:kms')
  return isMd5 && /^[0-9a-f]{32}$/.test(etag) ? etag : undefined
}

function longestCommonPrefix(keys: readonly string[]): string {
  const [first = '', ...others] = keys
  let length = first.length
  for (const key of others) while (!key.startsWith(first.slice(0, length))) length -= 1
  // Half of a surrogate pair cannot be sent.
  return first.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')
}
