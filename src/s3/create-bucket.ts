/** Makes sure that the bucket is there and may be used. Nothing about an existing bucket is changed. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'
import { BucketFailure, CredentialsFailure, EndpointFailure } from '../errors'
import { connect, DEFAULT_REGION, type S3Options } from './connect'
import { nameError } from './failure'
import { explainDenial, lookAtBucket, warnOfClock } from './look-at-bucket'
import { type Bucket, request, type Tally } from './request'

/** Before each look at the bucket: a new one may take a while to be seen, and two runs may be creating it at once. */
const WAITS_MS = [0, 0, 250, 500, 1000, 2000, 4000, 8000, 16_000]

/** Parts that no run came back for cost money until then. */
const ABORT_UNFINISHED_UPLOADS_AFTER_DAYS = 7

/** What is wanted of the bucket. */
interface Wish {
  readonly s3: S3Options
  /** Create it if it does not exist. */
  readonly createBucket: boolean
  readonly rules: { readonly dryRun: boolean }
}

export interface FoundBucket {
  /** The bucket, where it is. */
  readonly bucket: Bucket
  readonly bucketOutcome: 'found' | 'created' | 'would-create'
}

/**
 * The bucket, where it is. It is created where it does not exist, but for a dry run; in another region it is used there
 * if no region was asked for.
 * @throws BucketFailure, CredentialsFailure, EndpointFailure
 */
export async function createBucket(bucket: Bucket, config: Wish, tally: Tally): Promise<FoundBucket> {
  const { bucket: name } = config.s3
  const region = await bucket.client.config.region()
  const found = (bucketOutcome: FoundBucket['bucketOutcome'], isNew = false): FoundBucket => {
    warnOfClock(bucket, tally)
    return { bucket: { ...bucket, isNew }, bucketOutcome }
  }
  let creation: Creation | undefined
  for (const wait of WAITS_MS) {
    await sleep(wait, undefined, { signal: bucket.signal }).catch(() => bucket.signal.throwIfAborted())
    const seen = await lookAtBucket(bucket, name, tally)
    if (seen === 'denied') {
      if (creation === 'taken') throw taken(name)
      await explainDenial(bucket, config.s3, tally)
    }
    if (seen === 'there' || seen === 'denied') {
      if (creation === 'created') await limitUnfinishedUploads(bucket, tally)
      return found(creation === 'created' ? 'created' : 'found', creation !== undefined)
    }
    if (seen !== 'missing') {
      const there = { ...config, s3: { ...config.s3, region: seen.region } }
      const isFree = config.s3.region === undefined && region === DEFAULT_REGION
      if (isFree) return await createBucket(await connect(there.s3, bucket.signal), there, tally)
      throw new BucketFailure(`The bucket ${name} is in ${seen.region}, not in ${region}.`, {
        code: 'bucket',
        advice: `Set AWS_REGION=${seen.region}.`,
      })
    }
    if (!config.createBucket) {
      throw new BucketFailure(`The bucket ${name} does not exist, and CREATE_BUCKET is false.`, {
        code: 'bucket',
        advice: 'Check BUCKET_NAME, create the bucket, or set CREATE_BUCKET=true.',
      })
    }
    if (config.rules.dryRun) return found('would-create')
    if (creation === undefined || creation === 'busy') creation = await create(bucket, name, region, tally)
  }
  if (creation === 'taken') throw taken(name)
  throw new EndpointFailure(`The bucket ${name} was created but is still not visible.`, {
    code: 'endpoint',
    advice: 'Start the run again in a minute.',
  })
}

type Creation = 'created' | 'taken' | 'busy'

async function create(bucket: Bucket, name: string, region: string, tally: Tally): Promise<Creation> {
  const { client } = bucket
  try {
    // The SDK adds the LocationConstraint, which every region but us-east-1 wants.
    await request(bucket, `Creating the bucket ${name}`, tally, options =>
      client.send(new CreateBucketCommand({ Bucket: name }), options),
    )
    return 'created'
  } catch (error) {
    const reason = nameError(error)
    if (reason === 'BucketAlreadyOwnedByYou' || reason === 'OperationAborted') return 'busy'
    // Some servers say so of one's own bucket, too: the next look tells.
    if (reason === 'BucketAlreadyExists') return 'taken'
    if (error instanceof CredentialsFailure || error instanceof EndpointFailure) throw error
    throw new BucketFailure(`The bucket ${name} does not exist in ${region} and cannot be created: ${reason}.`, {
      code: 'bucket',
      advice: 'Check BUCKET_NAME and AWS_REGION, allow s3:CreateBucket, or have the bucket created.',
      cause: error,
    })
  }
}

/** A server or a key that does not allow the rule is worth a warning, not a failure. */
async function limitUnfinishedUploads(bucket: Bucket, tally: Tally): Promise<void> {
  const { client, address } = bucket
  const rule = {
    ID: 'abort-unfinished-multipart-uploads',
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UNFINISHED_UPLOADS_AFTER_DAYS },
  } as const
  try {
    await request(bucket, 'The lifecycle rule', tally, options =>
      client.send(
        new PutBucketLifecycleConfigurationCommand({ ...address, LifecycleConfiguration: { Rules: [rule] } }),
        options,
      ),
    )
  } catch (error) {
    bucket.signal.throwIfAborted()
    const reason = nameError(error)
    tally.warnings.push(
      `the new bucket has no lifecycle rule for unfinished uploads (${reason}): remove them yourself now and then`,
    )
  }
}

function taken(name: string): BucketFailure {
  return new BucketFailure(`The bucket name ${name} is taken by somebody else.`, {
    code: 'bucket',
    advice: 'Bucket names are shared by all of AWS: choose another BUCKET_NAME.',
  })
}
