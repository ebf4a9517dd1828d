/** Makes sure that the bucket is there and may be used. Nothing about an existing bucket is changed. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateBucketCommand,
  HeadBucketCommand,
  type ListObjectsV2CommandOutput,
  PutBucketLifecycleConfigurationCommand,
} from '@aws-sdk/client-s3'
import { BucketFailure, CredentialsFailure, EndpointFailure } from '../errors'
import { connect, DEFAULT_REGION, type S3Options } from './connect'
import { nameError, statusOf } from './failure'
import { lookAtBucket } from './look-at-bucket'
import type { S3 } from './request'

/** Before each look at the bucket: a new one may take a while to be seen, and two runs may be creating it at once. */
const WAITS_MS = [0, 0, 250, 500, 1000, 2000, 4000, 8000, 16_000]

/** Parts that no run came back for cost money until then. */
const ABORT_UNFINISHED_UPLOADS_AFTER_DAYS = 7

/** An account id that no account has. */
const NOBODY = '000000000000'

export type BucketOutcome = 'found' | 'created' | 'would-create'

interface Options {
  readonly s3: S3Options
  /** Create the bucket if it does not exist. */
  readonly createBucket: boolean
  readonly rules: { readonly dryRun: boolean }
}

type OnRetry = Parameters<typeof connect>[2]

interface Bucket {
  readonly s3: S3
  readonly bucketOutcome: BucketOutcome
  /** The first page of the listing of `keys`; `undefined` if it is refused, fails, or has nothing to list. */
  readonly firstPage: ListObjectsV2CommandOutput | undefined
}

/**
 * The bucket, if it is there. It is created if it does not exist, except in a dry run. In another region it is used
 * there if no region was asked for.
 * @param keys that the run will write
 * @throws BucketFailure, CredentialsFailure, EndpointFailure
 */
export async function createBucket(
  s3: S3,
  options: Options,
  keys: readonly string[],
  onRetry: OnRetry,
): Promise<Bucket> {
  const { bucket } = options.s3
  const region = await s3.client.config.region()
  let creation: Creation | undefined
  for (const wait of WAITS_MS) {
    await sleep(wait, undefined, { signal: s3.signal }).catch(() => s3.signal.throwIfAborted())
    const seen = await lookAtBucket(s3, keys, creation === 'created')
    warnOfClock(s3)
    if (seen.is === 'denied') {
      if (creation === 'taken') throw taken(bucket)
      explainDenial(s3, options.s3, seen.refusal)
    }
    if (seen.is === 'there' || seen.is === 'denied') {
      if (seen.is === 'there') await warnOfUncheckedOwner(s3)
      if (creation === 'created') await limitUnfinishedUploads(s3)
      s3.capabilities.isBucketNew = creation !== undefined
      const firstPage = seen.is === 'there' ? seen.firstPage : undefined
      return { s3, bucketOutcome: creation === 'created' ? 'created' : 'found', firstPage }
    }
    if (seen.is === 'elsewhere') {
      if (options.s3.region !== undefined || region !== DEFAULT_REGION) {
        throw new BucketFailure(`The bucket ${bucket} is in ${seen.region}, not in ${region}.`, {
          code: 'bucket',
          advice: `Set AWS_REGION=${seen.region}.`,
        })
      }
      const there = { ...options.s3, region: seen.region }
      s3.client.destroy()
      return await createBucket(
        (await connect(there, s3.signal, onRetry, keys.length)).for(s3.stats),
        { ...options, s3: there },
        keys,
        onRetry,
      )
    }
    if (!options.createBucket) {
      throw new BucketFailure(`The bucket ${bucket} does not exist, and CREATE_BUCKET is false.`, {
        code: 'bucket',
        advice: 'Check BUCKET_NAME, create the bucket, or set CREATE_BUCKET=true.',
      })
    }
    if (options.rules.dryRun) return { s3, bucketOutcome: 'would-create', firstPage: undefined }
    if (creation === undefined || creation === 'busy') creation = await create(s3, bucket, region)
  }
  if (creation === 'taken') throw taken(bucket)
  throw new EndpointFailure(`The bucket ${bucket} was created but is still not visible.`, {
    code: 'endpoint',
    advice: 'Start the run again in a minute.',
  })
}

/**
 * From the first answer on the SDK signs with the server's time if the two clocks are 5 minutes apart or more. A wrong
 * clock would then go unnoticed. "Today" is still this machine's.
 */
function warnOfClock({ client, stats }: S3): void {
  const minutes = Math.round(client.config.systemClockOffset / 60_000)
  if (minutes === 0) return
  const way = minutes > 0 ? 'behind' : 'ahead of'
  const warning = `the clock of this machine is ${Math.abs(minutes)} min ${way} the server's: set it, or today's date may be wrong`
  if (!stats.warnings.includes(warning)) stats.warnings.push(warning)
}

/**
 * HEAD gives no reason for a refusal, a listing does. A run that is merely denied goes on with a warning: a
 * least-privilege key may still write.
 */
function explainDenial({ stats }: S3, { bucket, bucketOwner }: S3Options, refusal: unknown): void {
  if (refusal !== undefined && nameError(refusal) !== 'AccessDenied') throw refusal
  if (refusal !== undefined && bucketOwner !== undefined) {
    throw new BucketFailure(`The bucket ${bucket} is not owned by ${bucketOwner}, or access to it is denied.`, {
      code: 'bucket',
      advice: 'Check BUCKET_NAME and BUCKET_OWNER, or allow s3:ListBucket on the bucket.',
      cause: refusal,
    })
  }
  stats.warnings.push(
    `HeadBucket on ${bucket} is denied, so nothing is known of the bucket: only an upload shows whether it may be written`,
  )
}

/** Of the servers that are not AWS, only Ceph 20 was seen to refuse a bucket that another account owns. */
async function warnOfUncheckedOwner({ address, capabilities, send, stats }: S3): Promise<void> {
  const { Bucket, ExpectedBucketOwner: owner } = address
  if (owner === undefined || !capabilities.isCustom) return
  const nobody = owner === NOBODY ? NOBODY.replace(/0$/, '1') : NOBODY
  try {
    await send('A look for another owner', new HeadBucketCommand({ Bucket, ExpectedBucketOwner: nobody }))
    stats.warnings.push('the server does not check BUCKET_OWNER: the bucket may be that of any account')
  } catch (error) {
    if (statusOf(error) !== 403) throw error
  }
}

type Creation = 'created' | 'taken' | 'busy'

async function create(s3: S3, bucket: string, region: string): Promise<Creation> {
  try {
    // The SDK adds the LocationConstraint, which every region but us-east-1 wants.
    await s3.send(`Creating the bucket ${bucket}`, new CreateBucketCommand({ Bucket: bucket }))
    return 'created'
  } catch (error) {
    const reason = nameError(error)
    if (reason === 'BucketAlreadyOwnedByYou' || reason === 'OperationAborted') return 'busy'
    // Some servers say so of one's own bucket, too: the next look tells.
    if (reason === 'BucketAlreadyExists') return 'taken'
    if (error instanceof CredentialsFailure || error instanceof EndpointFailure) throw error
    throw new BucketFailure(`The bucket ${bucket} does not exist in ${region} and cannot be created: ${reason}.`, {
      code: 'bucket',
      advice: 'Check BUCKET_NAME and AWS_REGION, allow s3:CreateBucket, or have the bucket created.',
      cause: error,
    })
  }
}

/** A server or a key that does not allow the rule is worth a warning, not a failure. */
async function limitUnfinishedUploads(s3: S3): Promise<void> {
  const rule = {
    ID: 'abort-unfinished-multipart-uploads',
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_UNFINISHED_UPLOADS_AFTER_DAYS },
  } as const
  const input = { ...s3.address, LifecycleConfiguration: { Rules: [rule] } }
  try {
    await s3.send('The lifecycle rule', new PutBucketLifecycleConfigurationCommand(input))
  } catch (error) {
    s3.signal.throwIfAborted()
    // Servers without lifecycle rules answer with whatever they have: only a refused right has a name that helps.
    const reason = statusOf(error) === 403 ? ' (AccessDenied)' : ''
    s3.stats.warnings.push(
      `the new bucket has no lifecycle rule for unfinished uploads${reason}: remove them yourself now and then`,
    )
  }
}

function taken(name: string): BucketFailure {
  return new BucketFailure(`The bucket name ${name} is taken by somebody else.`, {
    code: 'bucket',
    advice: 'Bucket names are shared by all of AWS: choose another BUCKET_NAME.',
  })
}
