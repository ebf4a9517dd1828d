/** What stands under a key, compared with a file: by proof of the content, never by time. */
import { createHash } from 'node:crypto'
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3'
import type { CsvFile } from '../csv/csv-file'
import { cutAnew } from '../csv/read-csv'
import { readParts } from '../csv/read-parts'
import { toBase64, toComposite, toHex } from '../lib/crc32'
import { bareEtag, headObject, type Listing, md5Of } from '../s3/objects'
import type { Delivery } from './delivery'

const MD5_ETAG = /^[0-9a-f]{32}$/
const COMPOSITE_ETAG = /^[0-9a-f]{32}-(\d+)$/

type Compared = Pick<Delivery, 'bucket' | 'file' | 'key' | 'tally'>

/** `other` is also said where nothing proves the content the same, `unknown` where one may not look. */
export type Existing =
  | { readonly content: 'none' }
  | { readonly content: 'unknown' }
  | { readonly content: 'other' }
  | { readonly content: 'same'; readonly etag: string; readonly versionId: string | undefined }

/** Compares the object under `key` with the file, asking for no more than is needed to decide. */
export async function compareWithListed(delivery: Compared, listing: Listing): Promise<Existing> {
  const { bucket, file, key } = delivery
  const listed = listing.objects.get(key)
  if (listed === undefined && listing.complete) return { content: 'none' }
  if (listed?.size !== undefined && listed.size !== file.size) return { content: 'other' }
  // For a small file a look at its bytes is cheaper than a request.
  const isCheap = file.size <= file.partSize && listed?.etag !== undefined
  if (isCheap && (await hasMd5(file, listed.etag, bucket.signal)))
    return { content: 'same', etag: listed.etag, versionId: undefined }
  return await compareWithObject(delivery)
}

/** The same by a HeadObject, for what no listing knows. */
export async function compareWithObject(delivery: Compared): Promise<Existing> {
  const { bucket, file, key, tally } = delivery
  const head = await headObject(bucket, key, tally)
  if (head === undefined) return { content: 'none' }
  if (head === 'denied') return { content: 'unknown' }
  const etag = bareEtag(head.ETag) ?? ''
  const isSame = head.ContentLength === file.size && (await isSameObject(delivery, head, etag))
  return isSame ? { content: 'same', etag, versionId: head.VersionId } : { content: 'other' }
}

/** By the strongest thing that the server gives. */
async function isSameObject(delivery: Compared, head: HeadObjectCommandOutput, etag: string): Promise<boolean> {
  const { bucket, file } = delivery
  const checksum = head.ChecksumCRC32
  if (checksum !== undefined && head.ChecksumType === 'FULL_OBJECT') return checksum === toBase64(file.crc32)
  const parts = Number(COMPOSITE_ETAG.exec(etag)?.[1] ?? 0)
  if (parts === 0) {
    // Metadata says what was to be stored, an MD5 what is. Only objects that were sent whole carry it: that of a resumed
    // upload could be an older file's.
    return md5Of(head) === undefined
      ? head.Metadata?.['crc32'] === toHex(file.crc32)
      : await hasMd5(file, etag, bucket.signal)
  }
  const cut = await cutAsSent(delivery, parts)
  if (cut === undefined) return false
  return checksum?.includes('-')
    ? checksum === toComposite(cut.partCrc32s)
    : await hasMd5OfMd5s(cut, etag, bucket.signal)
}

/** The file cut as the object of `parts` parts was sent, if it was sent in parts of one size. */
async function cutAsSent({ bucket, file, key, tally }: Compared, parts: number): Promise<CsvFile | undefined> {
  if (parts === file.partCrc32s.length && parts > 1) return file
  const first = await headObject(bucket, key, tally, 1)
  const partSize = first === 'denied' ? 0 : (first?.ContentLength ?? 0)
  if (partSize === 0 || Math.max(1, Math.ceil(file.size / partSize)) !== parts) return undefined
  return await cutAnew(file, partSize, bucket.signal)
}

/** Equal is proof; unequal proves nothing, since ETags are often not MD5s. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html */
async function hasMd5(file: CsvFile, etag: string, signal: AbortSignal): Promise<boolean> {
  if (!MD5_ETAG.test(etag)) return false
  const whole = createHash('md5')
  await readParts(file, signal, piece => whole.update(piece))
  return whole.digest('hex') === etag
}

/** S3's ETag of an object that was sent in parts: the MD5 of their MD5s, and their number. */
async function hasMd5OfMd5s(file: CsvFile, etag: string, signal: AbortSignal): Promise<boolean> {
  const md5s = await hashParts(file, signal)
  return `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-${md5s.length}` === etag
}

/** The MD5 of each part of the file. */
export async function hashParts(file: CsvFile, signal: AbortSignal): Promise<Buffer[]> {
  const md5s: Buffer[] = []
  let current = createHash('md5')
  let last = 0
  await readParts(file, signal, (piece, part) => {
    if (part !== last) {
      md5s.push(current.digest())
      current = createHash('md5')
      last = part
    }
    current.update(piece)
  })
  return [...md5s, current.digest()]
}
