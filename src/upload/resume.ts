/** A multipart upload of the same key that an earlier run left behind: found on the server, there is no state file. */
import { ListMultipartUploadsCommand, ListPartsCommand, type MultipartUpload, type Part } from '@aws-sdk/client-s3'
import { BucketFailure, EndpointFailure, FileFailure } from '../errors'
import { statusOf } from '../s3/failure'
import type { Delivery } from './delivery'

export interface LandedPart {
  readonly etag: string | undefined
  /** As the server lists it, in base64. */
  readonly crc32: string | undefined
  /** The server's answer proved that the part is what was read. */
  readonly isVerified: boolean
}

export interface Unfinished {
  readonly uploadId: string
  /** Bytes of its parts. */
  readonly partSize: number
  /** What a person is told if it is not gone on with. */
  readonly leftAlone: string
  /** The parts that are there, by their numbers from 1. */
  readonly landed: ReadonlyMap<number, LandedPart>
}

/** S3's limits for a multipart upload. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000

/**
 * The newest unfinished upload of the delivery's key whose parts have the sizes of a cut of the file. Their content is
 * compared when the file is read. Every other one is named with its age, and left to the bucket's lifecycle rule: it may
 * belong to another file, or to a run that is alive.
 * With object options none is taken up.
 * @throws Failure
 */
export async function findUnfinished(delivery: Delivery): Promise<Unfinished | undefined> {
  // An upload keeps the options that it was started with, and nothing tells which.
  if (Object.keys(delivery.objectOptions).length > 0) return undefined
  const uploads = await listUploads(delivery)
  let found: Unfinished | undefined
  for (const upload of uploads) {
    const taken = found === undefined ? await takeUp(delivery, upload) : undefined
    found ??= taken
    if (taken === undefined) delivery.s3.stats.warnings.push(describeLeft(upload))
  }
  return found
}

function describeLeft({ Initiated }: MultipartUpload): string {
  const hours = Initiated === undefined ? '?' : Math.round((Date.now() - Initiated.getTime()) / 3_600_000)
  return `another unfinished upload of its key, ${hours} h old, is left to the lifecycle rule`
}

/** Newest first. A server or a key that does not allow to look has none to go on from. */
async function listUploads({ s3, key }: Delivery): Promise<MultipartUpload[]> {
  try {
    const input = { ...s3.address, Prefix: key }
    const { Uploads = [] } = await s3.send(
      `Looking for unfinished uploads of ${key}`,
      new ListMultipartUploadsCommand(input),
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

async function takeUp(delivery: Delivery, upload: MultipartUpload): Promise<Unfinished | undefined> {
  const { s3, csv, memory } = delivery
  const { UploadId, ChecksumAlgorithm, ChecksumType } = upload
  const isOurKind = ChecksumAlgorithm === undefined || ChecksumAlgorithm === 'CRC32'
  // AWS completes an upload only with the type that it was started with. Others call every upload composite.
  const isComposite = ChecksumType === 'COMPOSITE' && !s3.capabilities.isCustom
  if (UploadId === undefined || !isOurKind || isComposite) return undefined
  const parts = await listParts(delivery, UploadId)
  const [first] = parts
  if (first?.Size === undefined || first.Size === 0) return undefined
  // A single part may be the last one, which is smaller.
  const partSize = parts.length === 1 && first.PartNumber !== 1 ? csv.partSize : first.Size
  const count = Math.ceil(csv.size / partSize)
  if (partSize > memory.bytes || count > MAX_PARTS) return undefined
  const fits = ({ PartNumber = 0, Size }: Part) =>
    PartNumber >= 1 && PartNumber <= count && Size === Math.min(partSize, csv.size - (PartNumber - 1) * partSize)
  if (!parts.every(fits)) return undefined
  const landed = parts.map(
    ({ PartNumber = 0, ETag, ChecksumCRC32 }) =>
      [PartNumber, { etag: ETag, crc32: ChecksumCRC32, isVerified: true }] as const,
  )
  return { uploadId: UploadId, partSize, leftAlone: describeLeft(upload), landed: new Map(landed) }
}

async function listParts({ s3, key }: Delivery, UploadId: string): Promise<Part[]> {
  const parts: Part[] = []
  let marker: string | undefined
  do {
    const from = marker === undefined ? {} : { PartNumberMarker: marker }
    try {
      const input = { ...s3.address, Key: key, UploadId, ...from }
      const answer = await s3.send(`Listing the parts of ${key}`, new ListPartsCommand(input))
      parts.push(...(answer.Parts ?? []))
      // A marker that does not move would be asked for for ever.
      const isMoving = Number(answer.NextPartNumberMarker) > Number(marker ?? 0)
      marker = answer.IsTruncated === true && isMoving ? answer.NextPartNumberMarker : undefined
    } catch (error) {
      if (isNoAnswer(error)) return []
      throw error
    }
  } while (marker !== undefined)
  return parts
}
