/** What the bucket already holds under the keys of a run. */
import { HeadObjectCommand, type HeadObjectCommandOutput, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { BucketFailure, type Failure, FileFailure, InterruptedFailure } from '../errors'
import { statusOf } from './failure'
import { type Bucket, request, type Tally } from './request'

/** Pages of up to 1,000 keys; beyond them, as where years of dates are listed, one HeadObject a file is cheaper. */
const MAX_PAGES = 5

interface ListedObject {
  /** Bytes. */
  readonly size: number | undefined
  /** Without its quotes. */
  readonly etag: string | undefined
}

export interface Listing {
  /** Whether a key that is not in it does not exist. */
  readonly complete: boolean
  readonly objects: ReadonlyMap<string, ListedObject>
}

/** Of a bucket that holds none of the keys. */
export const NOTHING: Listing = { complete: true, objects: new Map() }

/** Lists what stands under the longest prefix that the keys of all `files` share. A key that may not list gets an empty, incomplete listing. */
export async function listExisting(
  bucket: Bucket,
  files: readonly { readonly key: string | Failure }[],
  tally: Tally,
): Promise<Listing> {
  const { client, address } = bucket
  const objects = new Map<string, ListedObject>()
  const keys = files.map(file => file.key).filter(key => typeof key === 'string')
  if (keys.length === 0) return NOTHING
  const Prefix = longestCommonPrefix(keys)
  let token: string | undefined
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const input = { ...address, Prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }
    try {
      const answer = await request(bucket, 'Listing the bucket', tally, options =>
        client.send(new ListObjectsV2Command(input), options),
      )
      for (const { Key, Size, ETag } of answer.Contents ?? []) {
        if (Key !== undefined) objects.set(Key, { size: Size, etag: bareEtag(ETag) })
      }
      token = answer.NextContinuationToken
      if (token === undefined) return { complete: true, objects }
    } catch (error) {
      // A run that is told to stop looks no further, and each of its files says so.
      const isStopped = error instanceof InterruptedFailure
      if (isStopped || error instanceof BucketFailure || error instanceof FileFailure) break
      throw error
    }
  }
  return { complete: false, objects }
}

/** The object under `key`, or one part of it (from 1), with its checksum; `undefined` where there is none, `denied` where one may not look. */
export async function headObject(
  bucket: Bucket,
  key: string,
  tally: Tally,
  partNumber?: number,
): Promise<HeadObjectCommandOutput | 'denied' | undefined> {
  const { client, address } = bucket
  const part = partNumber === undefined ? {} : { PartNumber: partNumber }
  try {
    return await request(bucket, `Looking at ${key}`, tally, options =>
      client.send(new HeadObjectCommand({ ...address, ...part, Key: key, ChecksumMode: 'ENABLED' }), options),
    )
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
 * The MD5 of what is stored, in hexadecimal; `undefined` where the ETag is none: that of a multipart upload, or of what a
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
