/** A file that is larger than one part: a multipart upload, several parts at once, taken up again where one was left. */
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3'
import { readPart, refuseChanged, withOpenCsv } from '../csv/csv-file'
import { isUntouched } from '../csv/stamp'
import { Failure, FileFailure } from '../errors'
import { mapParallel } from '../lib/parallel'
import { nameError, statusOf } from '../s3/failure'
import { request } from '../s3/request'
import { graceAfter } from '../stop-signal'
import { completeUpload } from './complete'
import type { Delivery, Landed } from './delivery'
import { describeForMetadata } from './metadata'
import { findUnfinished, type LandedPart, type Unfinished } from './resume'
import { sendPart } from './send-part'

/** An interrupted run has 10 s in a container before it is killed: 2 to hear of an upload, 6 to abort it. */
const START_GRACE_MS = 2000
const ABORT_GRACE_MS = 6000

/**
 * Uploads a file in parts. Whatever goes wrong, the parts do not stay behind, unless the rules keep them for a run that
 * can go on from them.
 * @throws Failure
 */
export async function uploadParts(delivery: Delivery): Promise<Landed> {
  const { budget } = delivery
  const found = await budget.run(0, () => findUnfinished(delivery))
  if (found !== undefined) {
    try {
      return await finish(delivery, found)
    } catch (error) {
      // A server need not tell that another client started it for other checksums: it refuses to complete it.
      if (!(error instanceof FileFailure && statusOf(error) === 400)) throw error
    }
  }
  return await finish(delivery, await budget.run(0, () => start(delivery)))
}

async function finish(delivery: Delivery, upload: Unfinished): Promise<Landed> {
  const { budget } = delivery
  try {
    return await completeUpload(delivery, upload, await sendParts(delivery, upload))
  } catch (error) {
    const mayGoOn = error instanceof Failure && error.exitCode !== 1
    if (mayGoOn && delivery.rules.onInterrupt === 'keep')
      delivery.tally.warnings.push('its parts are kept for the next run')
    else await budget.run(0, () => abort(delivery, upload))
    throw error
  }
}

async function start({ bucket, file, key, tally }: Delivery): Promise<Unfinished> {
  const checksum = bucket.dialect.sendsChecksums
    ? ({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const)
    : {}
  const input = {
    ...bucket.address,
    ...checksum,
    Key: key,
    ContentType: 'text/csv',
    Metadata: describeForMetadata(file),
  }
  bucket.signal.throwIfAborted()
  // An upload whose id was never heard of could not be aborted.
  const { UploadId = '' } = await request(
    { ...bucket, grace: graceAfter(bucket.signal, START_GRACE_MS) },
    `Starting the upload of ${file.name}`,
    tally,
    options => bucket.client.send(new CreateMultipartUploadCommand(input), options),
  )
  return { uploadId: UploadId, cut: file, landed: new Map() }
}

async function sendParts(delivery: Delivery, { uploadId, cut, landed }: Unfinished): Promise<LandedPart[]> {
  const { bucket, budget } = delivery
  return await withOpenCsv(cut, async csv => {
    const parts = await mapParallel(cut.partCrc32s, budget.slots, async (crc, index) => {
      const PartNumber = index + 1
      const there = landed.get(PartNumber)
      if (there !== undefined) return there
      return await budget.run(cut.partSize, async buffer => {
        bucket.signal.throwIfAborted()
        const Body = await readPart(csv, cut, index, buffer)
        return await sendPart(delivery, uploadId, PartNumber, {
          Body,
          crc,
          isTrusted: isUntouched(csv.stamp(), cut.stamp),
        })
      })
    })
    refuseChanged(cut)
    return parts
  })
}

/** After a signal only for as long as there is. What cannot be aborted, the lifecycle rule removes. */
async function abort({ bucket, key, file, tally }: Delivery, { uploadId }: Unfinished): Promise<void> {
  const input = { ...bucket.address, Key: key, UploadId: uploadId }
  try {
    await request(
      { ...bucket, grace: graceAfter(bucket.signal, ABORT_GRACE_MS) },
      `Aborting the upload of ${file.name}`,
      tally,
      options => bucket.client.send(new AbortMultipartUploadCommand(input), options),
    )
  } catch (error) {
    const reason = nameError(error)
    if (reason !== 'NoSuchUpload') tally.warnings.push(`its unfinished upload was not aborted (${reason})`)
  }
}
