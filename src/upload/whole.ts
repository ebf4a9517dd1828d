/** A file that is no larger than one part: a single PutObject. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { readPart, refuseChanged, refuseChangedPart, withOpenCsv } from '../csv/csv-file'
import { Failure, settle } from '../errors'
import { toHex } from '../lib/crc32'
import { statusOf } from '../s3/failure'
import { checksumHeaders, request } from '../s3/request'
import { conditionOf, type Delivery, type Landed } from './delivery'
import { describeForMetadata } from './metadata'
import { verifyBody } from './verify'

/** @throws Failure */
export async function uploadWhole({ bucket, file, key, rules, budget, tally }: Delivery): Promise<Landed> {
  return await budget.run(file.size, async buffer => {
    bucket.signal.throwIfAborted()
    const Body = await withOpenCsv(file, csv => readPart(csv, file, 0, buffer))
    refuseChangedPart(Body, file.crc32, file.name)
    refuseChanged(file)
    const input = {
      ...bucket.address,
      ...conditionOf(rules),
      ...checksumHeaders(bucket, file.crc32),
      Key: key,
      Body,
      ContentType: 'text/csv',
      Metadata: { ...describeForMetadata(file), crc32: toHex(file.crc32) },
    }
    const answer = await request(
      bucket,
      `Upload of ${file.name}`,
      tally,
      options => bucket.client.send(new PutObjectCommand(input), options),
      input,
    )
    const isVerified = verifyBody(answer, Body, file.crc32, key)
    return { etag: answer.ETag, versionId: answer.VersionId, isVerified }
  })
}

/**
 * Says so, once a run, where the server ignores `If-None-Match`. That shows only when it is tried: what has just landed is
 * sent once more, which a server that obeys refuses. AWS obeys, and where there are versions nothing is written over.
 * @returns what stands there in the end
 * @throws FileFailure `verify_mismatch`
 */
export async function noticeIgnoredCondition(delivery: Delivery, landed: Landed): Promise<Landed> {
  const { bucket, rules, tally } = delivery
  const { dialect } = bucket
  if (rules.onConflict === 'overwrite' || !dialect.mayFallBack || landed.versionId !== undefined) return landed
  if (dialect.isConditionTried) return landed
  dialect.isConditionTried = true
  const again = await settle(() => uploadWhole(delivery))
  if (again instanceof Failure) {
    if (again.code === 'verify_mismatch') throw again
    dialect.isConditionTried = statusOf(again) === 412
    return landed
  }
  tally.warnings.push('the server ignores If-None-Match: what others write while a run goes on may be written over')
  return again
}
