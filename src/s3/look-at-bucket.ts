/** What the server says of the bucket when it is asked for it. */
import { HeadBucketCommand, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { BucketFailure, EndpointFailure, FileFailure } from '../errors'
import { headerOf, nameError, statusOf } from './failure'
import { longestCommonPrefix, requestPage, warnOfListing } from './objects'
import type { S3 } from './request'

type Sighting =
  | { readonly is: 'there'; readonly firstPage: ListObjectsV2CommandOutput | undefined }
  | { readonly is: 'missing' }
  /** Why the listing is refused, if it is. */
  | { readonly is: 'denied'; readonly refusal: unknown }
  | { readonly is: 'elsewhere'; readonly region: string }

/**
 * Asks for the listing, which the run needs anyway: one request less, and a refusal has a reason.
 * @param isCreated whether this run has just created the bucket
 * @throws Failure
 */
export async function lookAtBucket(s3: S3, keys: readonly string[], isCreated: boolean): Promise<Sighting> {
  const what = `Looking for the bucket ${s3.address.Bucket}`
  let listed: Listed
  try {
    listed = { firstPage: await requestPage(s3, what, longestCommonPrefix(keys)) }
  } catch (refusal) {
    if (nameError(refusal) === 'NoSuchBucket') return { is: 'missing' }
    const region = await readOtherRegion(s3, refusal)
    if (region !== undefined) return { is: 'elsewhere', region }
    // A server without listings, or a key that may not list, says nothing of the bucket.
    const isAboutListing = refusal instanceof BucketFailure || refusal instanceof FileFailure
    if (!isAboutListing && (statusOf(refusal) ?? 0) < 500) throw refusal
    listed = { refusal }
  }
  const { firstPage } = listed
  // Some servers list a bucket that does not exist, and it is empty (RustFS, SeaweedFS).
  const isProved = !s3.capabilities.isCustom || isCreated || firstPage?.Contents !== undefined
  return firstPage !== undefined && isProved ? { is: 'there', firstPage } : await lookByHead(s3, what, listed)
}

interface Listed {
  readonly firstPage?: ListObjectsV2CommandOutput
  readonly refusal?: unknown
}

/** Answers to HEAD have no body: a status, and in `x-amz-bucket-region` the bucket's region. */
async function lookByHead(s3: S3, what: string, { firstPage, refusal }: Listed): Promise<Sighting> {
  try {
    await s3.send(what, new HeadBucketCommand(s3.address))
    if (refusal instanceof EndpointFailure) warnOfListing(s3, refusal)
    return { is: 'there', firstPage }
  } catch (error) {
    const status = statusOf(error)
    if (status === 404) return { is: 'missing' }
    if (error instanceof FileFailure && status !== 400) {
      // What answers is no S3 server: that is not about a file.
      const { message, advice } = error
      throw new BucketFailure(message, { code: 'bucket', advice, cause: error.cause })
    }
    if (status !== 301 && status !== 400 && status !== 403) throw error
    const region = await readOtherRegion(s3, error)
    return region === undefined ? { is: 'denied', refusal } : { is: 'elsewhere', region }
  }
}

/** The bucket's region, if a refusal names another one than the client's. */
async function readOtherRegion(s3: S3, error: unknown): Promise<string | undefined> {
  const region = headerOf(error, 'x-amz-bucket-region')
  const isAboutRegion = [301, 400].includes(statusOf(error) ?? 0)
  return isAboutRegion && region !== (await s3.client.config.region()) ? region : undefined
}
