/** What can be learnt of a bucket without changing anything. */
import { HeadBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { BucketFailure } from '../errors'
import type { S3Options } from './connect'
import { nameError, sdkErrorOf, statusOf } from './failure'
import { type Bucket, request, type Tally } from './request'

type Sighting = 'there' | 'missing' | 'denied' | { readonly region: string }

/** Answers to HEAD have no body: a status, and in `x-amz-bucket-region` where the bucket is. */
export async function lookAtBucket(bucket: Bucket, name: string, tally: Tally): Promise<Sighting> {
  const { client, address } = bucket
  try {
    await request(bucket, `Looking for the bucket ${name}`, tally, options =>
      client.send(new HeadBucketCommand(address), options),
    )
    return 'there'
  } catch (error) {
    const status = statusOf(error)
    if (status === 404) return 'missing'
    if (status !== 301 && status !== 400 && status !== 403) throw error
    const region = sdkErrorOf(error)?.$response?.headers['x-amz-bucket-region']
    return region !== undefined && status !== 403 && region !== (await client.config.region()) ? { region } : 'denied'
  }
}

/**
 * From the first answer on the SDK signs with the server's time where the two are 5 minutes apart or more, so a wrong
 * clock goes unnoticed; but "today" is this machine's.
 */
export function warnOfClock({ client }: Bucket, tally: Tally): void {
  const minutes = Math.round(client.config.systemClockOffset / 60_000)
  if (minutes === 0) return
  const way = minutes > 0 ? 'behind' : 'ahead of'
  tally.warnings.push(
    `the clock of this machine is ${Math.abs(minutes)} min ${way} the server's: set it, or today's date may be wrong`,
  )
}

/**
 * HEAD gives no reason for a refusal, a listing does. A run that is merely denied goes on with a warning: a
 * least-privilege key may still write.
 */
export async function explainDenial(
  bucket: Bucket,
  { bucket: name, bucketOwner }: S3Options,
  tally: Tally,
): Promise<void> {
  const { client, address } = bucket
  try {
    await request(bucket, `Access to the bucket ${name}`, tally, options =>
      client.send(new ListObjectsV2Command({ ...address, MaxKeys: 1 }), options),
    )
  } catch (error) {
    if (nameError(error) !== 'AccessDenied') throw error
    if (bucketOwner !== undefined) {
      throw new BucketFailure(`The bucket ${name} is not owned by ${bucketOwner}, or access to it is denied.`, {
        code: 'bucket',
        advice: 'Check BUCKET_NAME and BUCKET_OWNER, or allow s3:ListBucket on the bucket.',
        cause: error,
      })
    }
  }
  tally.warnings.push(
    `HeadBucket on ${name} is denied, so nothing is known of the bucket: only an upload shows whether it may be written`,
  )
}
