/** Decides what a file needs, sends it, and checks what the server says it stored. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Budget } from './budget'
import { toBase64, toHex } from './checksum'
import { type CsvFile, openCsv, readPart, refuseChanged } from './csv-file'
import { bareEtag, headObject, type Listing } from './existing-objects'
import { uploadParts } from './multipart'
import { type Bucket, request, type Tally } from './s3-request'
import { findSameContent } from './same-content'
import { expectSame, verifyBody, verifyObject } from './verify'

export interface Put {
  readonly outcome: 'uploaded' | 'unchanged'
  readonly etag: string | undefined
  readonly versionId: string | undefined
}

/**
 * Brings the object under `key` in line with the file: nothing is sent where it holds the same content.
 * @param listing what was known of the run's keys before anything was sent
 * @param budget bounds the requests and the memory of all files together
 * @throws Failure
 */
export async function putObject(
  bucket: Bucket,
  file: CsvFile,
  key: string,
  listing: Listing,
  budget: Budget,
  tally: Tally,
): Promise<Put> {
  const same = await findSameContent(bucket, file, key, listing, budget, tally)
  if (same !== undefined) return { outcome: 'unchanged', etag: same, versionId: undefined }
  const { isVerified, etag, versionId } =
    file.size <= file.partSize
      ? await uploadWhole(bucket, file, key, budget, tally)
      : await uploadParts(bucket, file, key, budget, tally)
  if (!isVerified && !(await verifyByHead(bucket, file, key, budget, tally))) {
    tally.warnings.push('not verifiable: the server gives no checksum of what it stored')
  }
  return { outcome: 'uploaded', etag: bareEtag(etag), versionId }
}

async function uploadWhole(bucket: Bucket, file: CsvFile, key: string, budget: Budget, tally: Tally) {
  return await budget.run(file.size, async buffer => {
    bucket.signal.throwIfAborted()
    const body = await readWhole(file, buffer)
    const answer = await request(
      bucket,
      `Upload of ${file.name}`,
      tally,
      options =>
        bucket.client.send(
          new PutObjectCommand({
            ...bucket.address,
            Key: key,
            Body: body,
            ContentType: 'text/csv',
            // Some servers look at the value only where the algorithm is named, too.
            ChecksumAlgorithm: 'CRC32',
            ChecksumCRC32: toBase64(file.crc32),
            Metadata: { crc32: toHex(file.crc32) },
          }),
          options,
        ),
      body.length,
    )
    const isVerified = verifyBody(answer, body, file.crc32, key)
    return { etag: answer.ETag, versionId: answer.VersionId, isVerified }
  })
}

async function readWhole(file: CsvFile, buffer: Buffer): Promise<Buffer> {
  const handle = await openCsv(file)
  try {
    const body = await readPart(handle, file, 0, buffer)
    await refuseChanged(handle, file)
    return body
  } finally {
    await handle.close()
  }
}

/** For a write whose own answer carried nothing to compare. */
async function verifyByHead(
  bucket: Bucket,
  file: CsvFile,
  key: string,
  budget: Budget,
  tally: Tally,
): Promise<boolean> {
  const head = await budget.run(0, () => headObject(bucket, key, tally))
  if (head?.ContentLength !== undefined) expectSame(key, 'size', String(file.size), String(head.ContentLength))
  return verifyObject(head?.ChecksumCRC32, file, key)
}
