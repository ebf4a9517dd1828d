/** A file that is larger than one part: a multipart upload whose parts leave while the next ones are read. */
import { createHash } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { CsvPart, Digest } from '../csv/read-csv'
import { Failure, FileFailure } from '../errors'
import { graceAfter } from '../lib/abort'
import { toBase64 } from '../lib/crc32'
import { beginInOrder } from '../lib/parallel'
import { checksumOf, learnLack, MAX_SENDS, pauseAfter, withFallback } from '../s3/capabilities'
import { isDamaged, nameError, statusOf } from '../s3/failure'
import { bareEtag, type Listing } from '../s3/objects'
import { compareWithListing, compareWithObject } from './compare'
import {
  assertNotTaken,
  conditionOf,
  featuresOf,
  isProtected,
  leaveAlone,
  settleConflict,
  withoutObject,
} from './conflict'
import type { Delivery, DigestOf, Put } from './delivery'
import { describeForMetadata } from './metadata'
import { findUnfinished, type LandedPart, type Unfinished } from './resume'
import { assertEtag, type Proof, sendVerified, verifyByHead, verifyCompleted } from './verify'

/** An interrupted run has 10 s in a container before it is killed: 2 to hear of an upload, 6 to abort it. */
const START_GRACE_MS = 2000
const ABORT_GRACE_MS = 6000

/** @throws Failure */
export async function putParts(delivery: Delivery, listing: Listing): Promise<Put> {
  const { s3, csv, memory, rules } = delivery
  const digestOf: DigestOf = async (cut, withMd5) => {
    const known = csv.content?.digest
    return known?.partSize === cut && (!withMd5 || known.partMd5s.length > 0)
      ? known
      : await csv.skim(cut, memory, withMd5)
  }

  const left = leaveAlone(delivery, await compareWithListing(delivery, listing, digestOf))
  if (left !== undefined) return left
  if (rules.dryRun) {
    if (csv.content === undefined) await digestOf(csv.partSize, false)
    return withoutObject('would-upload')
  }
  let mayAdopt = true
  for (let sends = 1; ; sends += 1) {
    const adopted = mayAdopt ? await findUnfinished(delivery) : undefined
    try {
      return await upload(delivery, adopted)
    } catch (error) {
      const settled = await settleUpload(delivery, error, digestOf, { isAdopted: adopted !== undefined, sends })
      if (settled !== undefined) return settled
      if (sends === MAX_SENDS) throw error instanceof OtherWhole ? error.cause : error
      if (adopted === undefined) await pauseAfter(sends, s3.signal)
      mayAdopt = false
    }
  }
}

/**
 * After an upload that ended with `error`: what becomes of the file. `undefined` if another upload is to begin.
 * @throws `error`, or a Failure
 */
async function settleUpload(
  delivery: Delivery,
  error: unknown,
  digestOf: DigestOf,
  { isAdopted, sends }: { readonly isAdopted: boolean; readonly sends: number },
): Promise<Put | undefined> {
  if (error instanceof OtherContent || error instanceof OtherWhole) return undefined
  // A server need not tell that another client started the upload for other checksums: it refuses to complete it.
  if (isAdopted && error instanceof FileFailure && statusOf(error) === 400) return undefined
  if (nameError(error) === 'NoSuchUpload') {
    // An answer may have been lost: the upload may be completed. One that disappears twice is somebody's doing.
    const existing = await compareWithObject(delivery, digestOf)
    if (existing.content === 'same') return leaveAlone(delivery, existing)
    if (sends === 1) return undefined
    throw error
  }
  return await settleConflict(delivery, error, digestOf)
}

/** The whole is not what its parts were, or the server says so: a new upload may put that right. */
class OtherWhole extends Error {}

/** A part of an upload that was taken up holds other content than the file. */
class OtherContent extends Error {}

async function upload(delivery: Delivery, adopted: Unfinished | undefined): Promise<Put> {
  const { s3, csv, memory } = delivery
  const size = adopted?.partSize ?? csv.partSize
  s3.stats.bytesLanded = 0
  csv.restart(size)
  // The first part is read while this request is out.
  const opening = adopted === undefined ? start(delivery) : Promise.resolve(adopted)
  // Nobody may wait for it yet.
  opening.catch(() => {})
  try {
    const parts = await beginInOrder(Math.ceil(csv.size / size), async index => {
      const loan = await memory.borrow(size)
      try {
        s3.signal.throwIfAborted()
        const part = await csv.readPart(loan.buffer)
        const there = adopted?.landed.get(index + 1)
        // Before any further part is begun: the upload may belong to a run that is alive.
        if (there !== undefined && !holds(there, part)) throw new OtherContent(`part ${index + 1} of ${csv.name}`)
        const ended = opening.then(async ({ uploadId }) => {
          const result = there ?? (await sendPart(delivery, uploadId, index + 1, part))
          s3.stats.bytesLanded += part.body.length
          return result
        })
        return { ended: ended.finally(loan.release) }
      } catch (error) {
        loan.release()
        throw error
      }
    })
    await csv.assertUnchanged(() => csv.skim(size, memory))
    const { uploadId } = await opening
    return await complete(delivery, uploadId, parts)
  } catch (error) {
    const { uploadId } = await opening
    if (error instanceof OtherContent && adopted !== undefined) s3.stats.warnings.push(adopted.leftAlone)
    else await leave(delivery, uploadId, error)
    throw error
  }
}

/** Whatever went wrong, the parts do not stay behind, unless the rules keep them for a run that can go on from them. */
async function leave(delivery: Delivery, uploadId: string, error: unknown): Promise<void> {
  const { s3, rules } = delivery
  const mayGoOn = error instanceof Failure && error.exitCode !== 1
  if (mayGoOn && rules.onInterrupt === 'keep') s3.stats.warnings.push('its parts are kept for the next run')
  else await abort(delivery, uploadId)
}

async function start(delivery: Delivery): Promise<{ readonly uploadId: string }> {
  const { s3, csv, key, objectOptions } = delivery
  s3.signal.throwIfAborted()
  // An upload whose id was never heard of could not be aborted.
  const patient = s3.until(graceAfter(s3.signal, START_GRACE_MS))
  const { UploadId } = await withFallback(patient, ['checksums'], () => {
    const checksum = s3.capabilities.lacks.has('checksums')
      ? {}
      : ({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const)
    const metadata = { ContentType: 'text/csv', Metadata: describeForMetadata(csv) }
    const input = { ...s3.address, ...objectOptions, ...checksum, ...metadata, Key: key }
    return patient.send(`Starting the upload of ${csv.name}`, new CreateMultipartUploadCommand(input))
  })
  // An empty id stands for none: a part or an abort with it would be a request about the object itself.
  if (!UploadId) {
    throw new FileFailure(`Starting the upload of ${csv.name} was answered without an upload id.`, {
      code: 'refused_by_server',
      advice: 'Check the endpoint: this is not an S3 server, or something else answers in its place.',
    })
  }
  return { uploadId: UploadId }
}

/** Whether a part that is there already is the one that was read. */
function holds({ etag, crc32 }: LandedPart, part: CsvPart): boolean {
  if (crc32 !== undefined) return crc32 === toBase64(part.crc32)
  return bareEtag(etag) === createHash('md5').update(part.body).digest('hex')
}

async function sendPart({ s3, csv, key, memory }: Delivery, UploadId: string, PartNumber: number, part: CsvPart) {
  const begun = performance.now()
  const send = (proof?: Proof, most?: number) => {
    const attempt = () => {
      const md5 = proof === undefined ? {} : { ContentMD5: proof.contentMd5 }
      const input = {
        ...s3.address,
        ...checksumOf(s3.capabilities, part.crc32),
        ...md5,
        Key: key,
        UploadId,
        PartNumber,
        Body: part.body,
      }
      return s3.send(`Upload of part ${PartNumber} of ${csv.name}`, new UploadPartCommand(input))
    }
    return withFallback(s3, ['unsignedBodies', 'checksums'], attempt, most)
  }
  const { answer, isVerified } = await sendVerified(s3, part, `part ${PartNumber} of ${key}`, send)
  memory.observe(part.body.length, performance.now() - begun)
  return { etag: answer.ETag, crc32: undefined, isVerified }
}

/** The parts become the object, and the object is proved to be the file. */
async function complete(delivery: Delivery, UploadId: string, parts: readonly LandedPart[]): Promise<Put> {
  const { s3, csv, key } = delivery
  const digest = csv.content?.digest
  if (digest === undefined) throw new Error(`${csv.name} was not read to its end`)
  const condition = featuresOf(delivery)
  // A server that is not AWS may refuse checksums here as if they were a condition.
  const checksums = condition.length === 0 ? (['completionChecksums', 'checksums'] as const) : (['checksums'] as const)
  let sentChecksums = false
  const answer = await withFallback(s3, [...condition, 'objectSize', ...checksums], async () => {
    if (isProtected(delivery) && s3.capabilities.isCustom) await assertNotTaken(delivery)
    const whole = describeWhole(delivery, digest, parts)
    sentChecksums = 'ChecksumCRC32' in whole
    const input = { ...s3.address, ...conditionOf(delivery), ...whole, Key: key, UploadId }
    return await s3.send(`Completing the upload of ${csv.name}`, new CompleteMultipartUploadCommand(input))
  }).catch(cause => {
    throw isDamaged(cause) ? new OtherWhole(key, { cause }) : cause
  })
  assertEtag(answer.ETag, csv.name)
  try {
    if (!verifyCompleted(answer, digest, parts, key)) {
      const isProvedByParts = parts.every(part => part.isVerified)
      await verifyByHead(delivery, digest, isProvedByParts)
    }
  } catch (cause) {
    // An object that the rules protect is not written again, not even this one.
    const isMismatch = cause instanceof FileFailure && cause.code === 'verify_mismatch'
    if (!isMismatch || !s3.capabilities.isCustom || !sentChecksums || isProtected(delivery)) throw cause
    learnLack(s3, 'completionChecksums', 'it makes another object of the parts')
    throw new OtherWhole(key, { cause })
  }
  return { outcome: 'uploaded', etag: bareEtag(answer.ETag), versionId: answer.VersionId }
}

function describeWhole({ s3, csv }: Delivery, digest: Digest, parts: readonly LandedPart[]) {
  const { lacks } = s3.capabilities
  const sendsChecksums = !lacks.has('checksums') && !lacks.has('completionChecksums')
  const Parts = parts.map(({ etag: ETag }, index) => ({
    PartNumber: index + 1,
    ETag,
    ...(sendsChecksums ? { ChecksumCRC32: toBase64(digest.partCrc32s[index] ?? 0) } : {}),
  }))
  return {
    MultipartUpload: { Parts },
    ...(sendsChecksums ? ({ ChecksumCRC32: toBase64(digest.crc32), ChecksumType: 'FULL_OBJECT' } as const) : {}),
    ...(lacks.has('objectSize') ? {} : { MpuObjectSize: csv.size }),
  }
}

/** After a signal only for as long as there is. What cannot be aborted, the lifecycle rule removes. */
async function abort({ s3, key, csv }: Delivery, UploadId: string): Promise<void> {
  const patient = s3.until(graceAfter(s3.signal, ABORT_GRACE_MS))
  const input = { ...s3.address, Key: key, UploadId }
  try {
    await patient.send(`Aborting the upload of ${csv.name}`, new AbortMultipartUploadCommand(input))
  } catch (error) {
    const reason = nameError(error)
    if (reason !== 'NoSuchUpload') s3.stats.warnings.push(`its unfinished upload was not aborted (${reason})`)
  }
}
