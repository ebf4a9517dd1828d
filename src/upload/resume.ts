/** A multipart upload of the same file that an earlier run left behind: found on the server, there is no state file. */
import { ListMultipartUploadsCommand, ListPartsCommand, type MultipartUpload, type Part } from '@aws-sdk/client-s3'
import type { CsvFile } from '../csv/csv-file'
import { cutAnew } from '../csv/read-csv'
import { BucketFailure, EndpointFailure, FileFailure } from '../errors'
import { toBase64 } from '../lib/crc32'
import { statusOf } from '../s3/failure'
import { bareEtag } from '../s3/objects'
import { request } from '../s3/request'
import { hashParts } from './compare'
import type { Delivery } from './delivery'

export interface LandedPart {
  readonly etag: string | undefined
  /** Whether the server's answer proved that the part is what was read. */
  readonly isVerified: boolean
}

export interface Unfinished {
  readonly uploadId: string
  /** The file, cut into the parts of this upload. */
  readonly cut: CsvFile
  /** The parts that are there, by their numbers from 1. */
  readonly landed: ReadonlyMap<number, LandedPart>
}

/** S3's limits for a multipart upload. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000

/**
 * The unfinished upload of the delivery's key whose every part holds what the file holds, so that only what is missing
 * has to be sent. An upload with a part that does not match is not patched: it may belong to another file, or to a run
 * that is alive. All that are not taken up are named with their age, and left to the bucket's lifecycle rule.
 */
export async function findUnfinished(delivery: Delivery): Promise<Unfinished | undefined> {
  const uploads = await listUploads(delivery)
  let found: Unfinished | undefined
  for (const upload of uploads) {
    found ??= await takeUp(delivery, upload)
    if (found?.uploadId !== upload.UploadId) {
      const hours =
        upload.Initiated === undefined ? '?' : Math.round((Date.now() - upload.Initiated.getTime()) / 3_600_000)
      delivery.tally.warnings.push(
        `another unfinished upload of its key, ${hours} h old, is left to the lifecycle rule`,
      )
    }
  }
  return found
}

/** Newest first. A server or a key that does not allow to look has none to go on from. */
async function listUploads({ bucket, key, tally }: Delivery): Promise<MultipartUpload[]> {
  try {
    const { Uploads = [] } = await request(bucket, `Looking for unfinished uploads of ${key}`, tally, options =>
      bucket.client.send(new ListMultipartUploadsCommand({ ...bucket.address, Prefix: key }), options),
    )
    const age = ({ Initiated }: MultipartUpload) => Initiated?.getTime() ?? 0
    return Uploads.filter(upload => upload.Key === key).sort((a, b) => age(b) - age(a))
  } catch (error) {
    if (isNoAnswer(error)) return []
    throw error
  }
}

function isNoAnswer(error: unknown): boolean {
  const isRefused = error instanceof BucketFailure || error instanceof FileFailure
  return isRefused || (error instanceof EndpointFailure && statusOf(error) === 501)
}

async function takeUp(
  delivery: Delivery,
  { UploadId, ChecksumAlgorithm, ChecksumType }: MultipartUpload,
): Promise<Unfinished | undefined> {
  const { bucket, file, budget } = delivery
  const isOurKind = ChecksumAlgorithm === undefined || ChecksumAlgorithm === 'CRC32'
  // AWS completes an upload only with the type that it was started with; others call every upload composite.
  const isComposite = ChecksumType === 'COMPOSITE' && !bucket.dialect.mayFallBack
  if (UploadId === undefined || !isOurKind || isComposite) return undefined
  const parts = await listParts(delivery, UploadId)
  const first = parts[0]
  if (first?.Size === undefined) return undefined
  // A single part may be the last one, which is smaller.
  const partSize = parts.length === 1 && first.PartNumber !== 1 ? file.partSize : first.Size
  if (partSize > budget.bytes || Math.ceil(file.size / partSize) > MAX_PARTS) return undefined
  const cut = await cutAnew(file, partSize, bucket.signal)
  const needsMd5 = parts.some(part => part.ChecksumCRC32 === undefined)
  const md5s = needsMd5 ? (await hashParts(cut, bucket.signal)).map(md5 => md5.toString('hex')) : []
  const isSame = ({ PartNumber = 0, Size, ETag, ChecksumCRC32 }: Part) => {
    const index = PartNumber - 1
    const crc = cut.partCrc32s[index]
    if (crc === undefined || Size !== Math.min(partSize, cut.size - index * partSize)) return false
    return ChecksumCRC32 === undefined ? bareEtag(ETag) === md5s[index] : ChecksumCRC32 === toBase64(crc)
  }
  if (!parts.every(isSame)) return undefined
  const landed = parts.map(({ PartNumber = 0, ETag }) => [PartNumber, { etag: ETag, isVerified: true }] as const)
  return { uploadId: UploadId, cut, landed: new Map(landed) }
}

async function listParts({ bucket, key, tally }: Delivery, UploadId: string): Promise<Part[]> {
  const parts: Part[] = []
  let marker: string | undefined
  do {
    const input = {
      ...bucket.address,
      Key: key,
      UploadId,
      ...(marker === undefined ? {} : { PartNumberMarker: marker }),
    }
    try {
      const answer = await request(bucket, `Listing the parts of ${key}`, tally, options =>
        bucket.client.send(new ListPartsCommand(input), options),
      )
      parts.push(...(answer.Parts ?? []))
      marker = answer.IsTruncated === true ? answer.NextPartNumberMarker : undefined
    } catch (error) {
      if (isNoAnswer(error)) return []
      throw error
    }
  } while (marker !== undefined)
  return parts
}
