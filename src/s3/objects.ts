/** What the bucket holds under the keys of a run. */
import {
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3'
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

/** The listing of a bucket that may hold anything. */
const UNKNOWN: Listing = { isComplete: false, objects: new Map() }

type Page = ListObjectsV2CommandOutput
type From = Pick<ListObjectsV2CommandInput, 'ContinuationToken' | 'StartAfter'>

/**
 * One page of what stands under a prefix: the first one, unless `from` says where to go on.
 * @param what for the message of a failure
 * @throws Failure
 */
export async function requestPage(s3: S3, what: string, Prefix: string, from: From = {}): Promise<Page> {
  return await s3.send(what, new ListObjectsV2Command({ ...s3.address, Prefix, ...from }))
}

/**
 * What the bucket holds under the longest prefix that all `keys` share.
 * @param first the page that `requestPage` gives, or `undefined` if the server or the key does not allow it: a listing
 *   only saves requests
 * @param isOld whether so much time has passed that the page is to be asked for again
 * @throws Failure if the server cannot be reached, or refuses the credentials
 */
export async function listObjects(
  s3: S3,
  keys: readonly string[],
  first: Page | undefined,
  isOld: boolean,
): Promise<Listing> {
  if (keys.length === 0) return NOTHING
  if (first === undefined) return UNKNOWN
  const objects = new Map<string, ListedObject>()
  const prefix = longestCommonPrefix(keys)
  const tokens = new Set<string>()
  /** A server that ignores the prefix has listed something else, and perhaps not all of ours. */
  let isOurs = true
  let answer = isOld ? await tryPage(s3, prefix, {}) : first
  for (let page = 1; answer !== undefined; page += 1) {
    const { Contents = [], IsTruncated, NextContinuationToken: token }: Page = answer
    const known = objects.size
    isOurs &&= Contents.every(({ Key = '' }) => Key.startsWith(prefix))
    for (const { Key = '', Size, ETag } of Contents) {
      if (Key.startsWith(prefix)) objects.set(Key, { size: Size, etag: bareEtag(ETag) })
    }
    if (IsTruncated !== true && token === undefined) return { isComplete: isOurs, objects }
    // The same page again would go on for ever.
    if (objects.size === known || page === MAX_PAGES) break
    const isFresh = token !== undefined && !tokens.has(token)
    if (isFresh) tokens.add(token)
    // Some servers say that there is more, and give no token.
    answer = await tryPage(s3, prefix, isFresh ? { ContinuationToken: token } : { StartAfter: Contents.at(-1)?.Key })
  }
  return { isComplete: false, objects }
}

/** `undefined` if there is no answer to go by. */
async function tryPage(s3: S3, prefix: string, from: From): Promise<Page | undefined> {
  try {
    return await requestPage(s3, 'Listing the bucket', prefix, from)
  } catch (error) {
    if (error instanceof BucketFailure || error instanceof FileFailure) return undefined
    // Each file says itself that the run was stopped.
    if (error instanceof InterruptedFailure) return undefined
    if ((statusOf(error) ?? 0) < 500) throw error
    warnOfListing(s3, error)
    return undefined
  }
}

/** To be told if the server fails to list, and does not merely refuse. */
export function warnOfListing({ stats }: S3, error: unknown): void {
  stats.warnings.push(`the listing of the bucket fails (${nameError(error)}): the program asks for each object instead`)
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

/** Empty if they share none, or there are none. */
export function longestCommonPrefix(keys: readonly string[]): string {
  const [first = '', ...others] = keys
  let length = first.length
  for (const key of others) while (!key.startsWith(first.slice(0, length))) length -= 1
  // Half of a surrogate pair cannot be sent.
  return first.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')
}
