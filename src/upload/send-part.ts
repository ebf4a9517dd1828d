/** One part of a multipart upload on its way. */
import { UploadPartCommand } from '@aws-sdk/client-s3'
import { refuseChangedPart } from '../csv/csv-file'
import { FileFailure } from '../errors'
import { checksumHeaders, request } from '../s3/request'
import type { Delivery } from './delivery'
import type { LandedPart } from './resume'
import { verifyBody } from './verify'

/** A part as it was read again, and the CRC-32 that it had the first time. */
interface ReadPart {
  readonly Body: Buffer
  readonly crc: number
  /** Whether nothing speaks against its being the same. */
  readonly isTrusted: boolean
}

/**
 * Sends a part. One that is trusted is not compared here where the server does that.
 * @throws Failure
 */
export async function sendPart(
  { bucket, key, file, tally }: Delivery,
  UploadId: string,
  PartNumber: number,
  { Body, crc, isTrusted }: ReadPart,
): Promise<LandedPart> {
  const { dialect } = bucket
  const checksum = checksumHeaders(bucket, crc)
  const isLeftToServer = isTrusted && dialect.comparesChecksums && checksum.ChecksumCRC32 !== undefined
  if (!isLeftToServer) refuseChangedPart(Body, crc, file.name)
  const input = { ...bucket.address, ...checksum, Key: key, UploadId, PartNumber, Body }
  const answer = await request(
    bucket,
    `Upload of part ${PartNumber} of ${file.name}`,
    tally,
    options => bucket.client.send(new UploadPartCommand(input), options),
    input,
  ).catch(error => {
    // What servers call it when the two differ is their own.
    if (isLeftToServer && error instanceof FileFailure) refuseChangedPart(Body, crc, file.name)
    throw error
  })
  if (isLeftToServer && answer.ChecksumCRC32 !== checksum.ChecksumCRC32) refuseChangedPart(Body, crc, file.name)
  dialect.comparesChecksums = answer.ChecksumCRC32 !== undefined
  return { etag: answer.ETag, isVerified: verifyBody(answer, Body, crc, `part ${PartNumber} of ${key}`) }
}
