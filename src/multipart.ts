/** A file that is larger than one part: a multipart upload, several parts at once. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Budget } from './budget'
import { toBase64 } from './checksum'
import { type CsvFile, openCsv, readPart, refuseChanged } from './csv-file'
import { mapParallel } from './map-parallel'
import { nameError } from './s3-failure'
import { type Bucket, request, type Tally } from './s3-request'
import { verifyBody, verifyObject } from './verify'

/** An interrupted run has 10 s in a container before it is killed. */
const ABORT_TIMEOUT_MS = 8000

interface Upload {
  readonly bucket: Bucket
  readonly file: CsvFile
  /** What every request of the upload names. */
  readonly target: Bucket['address'] & { readonly Key: string; readonly UploadId: string }
}

interface Landed {
  readonly etag: string | undefined
  readonly versionId: string | undefined
  /** Whether the answers proved that what is stored is what was read. */
  readonly isVerified: boolean
}

/**
 * Uploads a file in parts. Whatever goes wrong, the parts do not stay behind.
 * @throws Failure
 */
export async function uploadParts(
  bucket: Bucket,
  file: CsvFile,
  key: string,
  budget: Budget,
  tally: Tally,
): Promise<Landed> {
  const { client, address } = bucket
  const { UploadId = '' } = await budget.run(0, () =>
    request(bucket, `Starting the upload of ${file.name}`, tally, options =>
      client.send(
        new CreateMultipartUploadCommand({
          ...address,
          Key: key,
          ContentType: 'text/csv',
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
        }),
        options,
      ),
    ),
  )
  const upload: Upload = { bucket, file, target: { ...address, Key: key, UploadId } }
  try {
    const parts = await sendParts(upload, budget, tally)
    return await complete(upload, parts, tally)
  } catch (error) {
    await abort(upload, tally)
    throw error
  }
}

interface SentPart extends CompletedPart {
  readonly isVerified: boolean
}

async function sendParts({ bucket, file, target }: Upload, budget: Budget, tally: Tally): Promise<SentPart[]> {
  const handle = await openCsv(file)
  try {
    const parts = await mapParallel(file.partCrc32s, budget.slots, (crc, index) =>
      budget.run(file.partSize, async buffer => {
        bucket.signal.throwIfAborted()
        const Body = await readPart(handle, file, index, buffer)
        const PartNumber = index + 1
        const checksum = { ChecksumAlgorithm: 'CRC32', ChecksumCRC32: toBase64(crc) } as const
        const answer = await request(
          bucket,
          `Upload of part ${PartNumber} of ${file.name}`,
          tally,
          options => bucket.client.send(new UploadPartCommand({ ...target, PartNumber, Body, ...checksum }), options),
          Body.length,
        )
        const isVerified = verifyBody(answer, Body, crc, `Part ${PartNumber} of ${target.Key}`)
        return { PartNumber, ETag: answer.ETag, ChecksumCRC32: checksum.ChecksumCRC32, isVerified }
      }),
    )
    await refuseChanged(handle, file)
    return parts
  } finally {
    await handle.close()
  }
}

async function complete({ bucket, file, target }: Upload, parts: SentPart[], tally: Tally): Promise<Landed> {
  const answer = await request(bucket, `Completing the upload of ${file.name}`, tally, options =>
    bucket.client.send(
      new CompleteMultipartUploadCommand({
        ...target,
        MultipartUpload: {
          Parts: parts.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({ PartNumber, ETag, ChecksumCRC32 })),
        },
        ChecksumCRC32: toBase64(file.crc32),
        ChecksumType: 'FULL_OBJECT',
        MpuObjectSize: file.size,
      }),
      options,
    ),
  )
  const isVerified = verifyObject(answer.ChecksumCRC32, file, target.Key) || parts.every(part => part.isVerified)
  return { etag: answer.ETag, versionId: answer.VersionId, isVerified }
}

/** With a signal of its own: the run's may be what ended the upload. What cannot be aborted, the lifecycle rule removes. */
async function abort({ bucket, file, target }: Upload, tally: Tally): Promise<void> {
  const signal = AbortSignal.timeout(ABORT_TIMEOUT_MS)
  try {
    await request({ signal }, `Aborting the upload of ${file.name}`, tally, options =>
      bucket.client.send(new AbortMultipartUploadCommand(target), options),
    )
  } catch (error) {
    const reason = nameError(error)
    if (reason !== 'NoSuchUpload') tally.warnings.push(`its unfinished upload was not aborted (${reason})`)
  }
}
