/** Whether an object holds a file's content: decided by proof, never by time. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { Budget } from './budget'
import { toBase64, toComposite, toHex } from './checksum'
import { type CsvFile, openCsv, readPart } from './csv-file'
import { bareEtag, headObject, type Listing } from './existing-objects'
import type { Bucket, Tally } from './s3-request'

const MD5_ETAG = /^[0-9a-f]{32}$/
const COMPOSITE_ETAG = /^[0-9a-f]{32}-(\d+)$/

/**
 * The ETag of the object under `key`, if it is proved to hold the file's content; `undefined` where there is no such
 * object, its content differs, or nothing proves it.
 */
export async function findSameContent(
  bucket: Bucket,
  file: CsvFile,
  key: string,
  listing: Listing,
  budget: Budget,
  tally: Tally,
): Promise<string | undefined> {
  const listed = listing.objects.get(key)
  if (listed === undefined && listing.complete) return undefined
  if (listed?.size !== undefined && listed.size !== file.size) return undefined
  const isSmall = file.size <= file.partSize
  if (listed?.etag !== undefined && isSmall && (await matchesEtag(file, listed.etag, budget))) return listed.etag

  const head = await budget.run(0, () => headObject(bucket, key, tally))
  if (head === undefined || head.ContentLength !== file.size) return undefined
  const etag = bareEtag(head.ETag) ?? ''
  const checksum = head.ChecksumCRC32
  if (checksum !== undefined && head.ChecksumType === 'FULL_OBJECT') {
    return checksum === toBase64(file.crc32) ? etag : undefined
  }
  if (checksum !== undefined && checksum === toComposite(file.partCrc32s)) return etag
  // Only objects that were sent whole carry it: the metadata of a resumed upload could be an older file's.
  if (!COMPOSITE_ETAG.test(etag) && head.Metadata?.['crc32'] === toHex(file.crc32)) return etag
  const seen = isSmall && etag === listed?.etag
  return !seen && (await matchesEtag(file, etag, budget)) ? etag : undefined
}

/**
 * Whether `etag` is the MD5 of the file, or S3's MD5 of the MD5s of the parts that this program would send. Equal is
 * proof; unequal proves nothing, since ETags are often not MD5s.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
async function matchesEtag(file: CsvFile, etag: string, budget: Budget): Promise<boolean> {
  const parts = file.partCrc32s.length
  const isComposite = COMPOSITE_ETAG.exec(etag)?.[1] === String(parts)
  if (!isComposite && !MD5_ETAG.test(etag)) return false
  const whole = createHash('md5')
  const handle = await openCsv(file)
  try {
    for (let index = 0; index < parts; index += 1) {
      await hashPart(handle, file, index, budget, part => {
        whole.update(isComposite ? createHash('md5').update(part).digest() : part)
      })
    }
  } finally {
    await handle.close()
  }
  return `${whole.digest('hex')}${isComposite ? `-${parts}` : ''}` === etag
}

function hashPart(
  handle: FileHandle,
  file: CsvFile,
  index: number,
  budget: Budget,
  hash: (part: Buffer) => void,
): Promise<void> {
  return budget.run(Math.min(file.partSize, file.size), async buffer =>
    hash(await readPart(handle, file, index, buffer)),
  )
}
