/** The end of a multipart upload: its parts become the object. */
import { CompleteMultipartUploadCommand } from '@aws-sdk/client-s3'
import { FileFailure } from '../errors'
import { toBase64 } from '../lib/crc32'
import { headObject } from '../s3/objects'
import { request } from '../s3/request'
import { conditionOf, type Delivery, type Landed } from './delivery'
import type { LandedPart, Unfinished } from './resume'
import { verifyObject } from './verify'

/**
 * @param parts all of them, in order
 * @throws Failure
 */
export async function completeUpload(
  delivery: Delivery,
  { uploadId, cut }: Unfinished,
  parts: readonly LandedPart[],
): Promise<Landed> {
  const { bucket, key, rules, budget, tally } = delivery
  await budget.run(0, () => refuseTaken(delivery))
  const { sendsChecksums } = bucket.dialect
  const Parts = parts.map(({ etag: ETag }, index) => ({
    PartNumber: index + 1,
    ETag,
    ...(sendsChecksums ? { ChecksumCRC32: toBase64(cut.partCrc32s[index] ?? 0) } : {}),
  }))
  const whole = sendsChecksums ? ({ ChecksumCRC32: toBase64(cut.crc32), ChecksumType: 'FULL_OBJECT' } as const) : {}
  const input = {
    ...bucket.address,
    ...conditionOf(rules),
    ...whole,
    Key: key,
    UploadId: uploadId,
    MultipartUpload: { Parts },
    MpuObjectSize: cut.size,
  }
  const answer = await request(bucket, `Completing the upload of ${cut.name}`, tally, options =>
    bucket.client.send(new CompleteMultipartUploadCommand(input), options),
  )
  const isVerified = verifyObject(answer, cut, key) || parts.every(part => part.isVerified)
  return { etag: answer.ETag, versionId: answer.VersionId, isVerified }
}

/**
 * Where the rules protect what a key holds: refuses one that holds something by now. Some servers obey `If-None-Match`
 * when an object is put and ignore it here; this leaves only the moment in between.
 * @throws FileFailure `conflict`
 */
async function refuseTaken({ bucket, key, rules, tally }: Delivery): Promise<void> {
  if (rules.onConflict === 'overwrite' || !bucket.dialect.mayFallBack) return
  const head = await headObject(bucket, key, tally)
  if (head === undefined || head === 'denied') return
  throw new FileFailure(`${key} was written by somebody else in the meantime.`, {
    code: 'conflict',
    advice: 'Find out who else writes there; then upload with another date, or with ON_CONFLICT=overwrite.',
  })
}
