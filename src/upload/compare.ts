/** What stands under a key, compared with a file: by proof of the content, never by time. */
import { createHash } from 'node:crypto'
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3'
import type { Digest } from '../csv/read-csv'
import { toBase64, toComposite, toHex } from '../lib/crc32'
import { bareEtag, headObject, type Listing, md5Of } from '../s3/objects'
import type { Delivery, DigestOf } from './delivery'
import { SOURCE_MTIME } from './metadata'

const MD5_ETAG = /^[0-9a-f]{32}$/
const COMPOSITE_ETAG = /^[0-9a-f]{32}-(\d+)$/

/** `other` is also said if nothing proves the content the same, `unknown` if the key may not look. */
export type Existing =
  | { readonly content: 'none' }
  | { readonly content: 'unknown' }
  | { readonly content: 'other' }
  | { readonly content: 'same'; readonly etag: string; readonly versionId: string | undefined }

/**
 * Compares the object under the delivery's key with its file, and asks for no more than is needed to decide.
 * @throws Failure
 */
export async function compareWithListing(delivery: Delivery, listing: Listing, digestOf: DigestOf): Promise<Existing> {
  const { csv, key } = delivery
  const listed = listing.objects.get(key)
  if (listed === undefined && listing.isComplete) return { content: 'none' }
  if (listed?.size !== undefined && listed.size !== csv.size) return { content: 'other' }
  // The bytes of a small file are in memory: to hash them is cheaper than a request.
  if (csv.size <= csv.partSize && listed?.etag !== undefined && (await hasMd5(listed.etag, csv.size, digestOf))) {
    return { content: 'same', etag: listed.etag, versionId: undefined }
  }
  const existing = await compareWithObject(delivery, digestOf)
  // The key may not look, but the listing has seen an object.
  return existing.content === 'unknown' && listed !== undefined ? { content: 'other' } : existing
}

/**
 * The same by a HeadObject, for what no listing knows.
 * @throws Failure
 */
export async function compareWithObject(delivery: Delivery, digestOf: DigestOf): Promise<Existing> {
  const head = await headObject(delivery.s3, delivery.key)
  if (head === undefined) return { content: 'none' }
  if (head === 'denied') return { content: 'unknown' }
  const etag = bareEtag(head.ETag) ?? ''
  const isSame = head.ContentLength === delivery.csv.size && (await isSameObject(delivery, head, etag, digestOf))
  return isSame ? { content: 'same', etag, versionId: head.VersionId } : { content: 'other' }
}

/** By the strongest thing that the server gives. */
async function isSameObject(
  delivery: Delivery,
  head: HeadObjectCommandOutput,
  etag: string,
  digestOf: DigestOf,
): Promise<boolean> {
  const { csv } = delivery
  const checksum = head.ChecksumCRC32
  if (checksum !== undefined && head.ChecksumType === 'FULL_OBJECT') {
    return checksum === toBase64((await digestOf(csv.partSize, false)).crc32)
  }
  const parts = Number(COMPOSITE_ETAG.exec(etag)?.[1] ?? 0)
  if (parts > 0) return await isSameInParts(delivery, head, etag, parts, digestOf)
  if (md5Of(head) !== undefined) return await hasMd5(etag, csv.size, digestOf)
  // The MD5 describes the stored bytes, the metadata only what the program meant to store. Only objects that were sent
  // whole carry it: the metadata of a resumed upload could be an older file's.
  return head.Metadata?.['crc32'] === toHex((await digestOf(csv.partSize, false)).crc32)
}

/**
 * For an object that was uploaded in parts: it is compared as this program cuts the file, then as the object's first
 * part says that it was cut. Equal is proof; unequal proves nothing.
 */
async function isSameInParts(
  { s3, csv, key }: Delivery,
  head: HeadObjectCommandOutput,
  etag: string,
  parts: number,
  digestOf: DigestOf,
): Promise<boolean> {
  const { partSize } = csv
  const isSame = ({ partCrc32s, partMd5s }: Digest) =>
    head.ChecksumCRC32 === toComposite(partCrc32s) || etag === toCompositeEtag(partMd5s)
  const countOf = (size: number) => Math.max(1, Math.ceil(csv.size / size))
  if (countOf(partSize) === parts && isSame(await digestOf(partSize, true))) return true
  // What this program uploaded it cuts in the same way again, unless the number of parts tells otherwise.
  if (countOf(partSize) === parts && head.Metadata?.[SOURCE_MTIME] !== undefined) return false
  const first = await headObject(s3, key, 1)
  const cut = first === 'denied' ? 0 : (first?.ContentLength ?? 0)
  return cut > 0 && cut !== partSize && countOf(cut) === parts && isSame(await digestOf(cut, true))
}

/** Unequal proves nothing, since ETags are often not MD5s. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html */
async function hasMd5(etag: string, size: number, digestOf: DigestOf): Promise<boolean> {
  if (!MD5_ETAG.test(etag)) return false
  const [md5] = (await digestOf(Math.max(size, 1), true)).partMd5s
  return md5?.toString('hex') === etag
}

/** S3's ETag of an object that was uploaded in parts: the MD5 of their MD5s, and their number. */
export function toCompositeEtag(md5s: readonly Buffer[]): string {
  return `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-${md5s.length}`
}
