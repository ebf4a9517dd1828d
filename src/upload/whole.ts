/** A file that is no larger than one part: it is read, closed and sent by one PutObject. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Digest } from '../csv/read-csv'
import { Failure, settle } from '../errors'
import { toHex } from '../lib/crc32'
import { checksumOf, MAX_SENDS, pauseAfter, withFallback } from '../s3/capabilities'
import { statusOf } from '../s3/failure'
import { bareEtag, type Listing } from '../s3/objects'
import { compareWithListing } from './compare'
import {
  assertMayWrite,
  conditionOf,
  featuresOf,
  isProtected,
  leaveAlone,
  settleConflict,
  withoutObject,
} from './conflict'
import type { Delivery, Landed, Put } from './delivery'
import { describeForMetadata } from './metadata'
import { type Proof, sendVerified, verifyByHead } from './verify'

/** @throws Failure */
export async function putWhole(delivery: Delivery, listing: Listing): Promise<Put> {
  const { s3, csv, memory, rules } = delivery
  const loan = await memory.borrow(csv.size)
  try {
    s3.signal.throwIfAborted()
    const { body, crc32: crc } = await csv.readPart(loan.buffer)
    await csv.assertUnchanged(() => {
      csv.restart(csv.partSize)
      return csv.readPart(loan.buffer)
    })
    csv.close()
    const digestOf = async (cut: number, withMd5: boolean) => digestBody(body, crc, cut, withMd5)
    const left = leaveAlone(delivery, await compareWithListing(delivery, listing, digestOf))
    if (left !== undefined) return left
    if (rules.dryRun) return withoutObject('would-upload')
    for (let sends = 1; ; sends += 1) {
      try {
        return await send(delivery, body, crc)
      } catch (error) {
        const settled = await settleConflict(delivery, error, digestOf)
        if (settled !== undefined) return settled
        if (sends === MAX_SENDS) throw error
        await pauseAfter(sends, s3.signal)
      }
    }
  } finally {
    loan.release()
  }
}

async function send(delivery: Delivery, body: Buffer, crc: number): Promise<Put> {
  const { s3, csv, memory } = delivery
  const begun = performance.now()
  let landed = await put(delivery, body, crc)
  memory.observe(body.length, performance.now() - begun)
  landed = await noticeIgnoredCondition(delivery, landed, body, crc)
  if (!landed.isVerified) await verifyByHead(delivery, { crc32: crc })
  s3.stats.bytesLanded = csv.size
  return { outcome: 'uploaded', etag: bareEtag(landed.etag), versionId: landed.versionId }
}

async function put(delivery: Delivery, body: Buffer, crc: number): Promise<Landed> {
  const { s3, csv, key, objectOptions } = delivery
  const uses = [...featuresOf(delivery), 'unsignedBodies', 'checksums'] as const
  const send = (proof?: Proof, most?: number) => {
    const attempt = async () => {
      if (proof?.isAgain !== true) await assertMayWrite(delivery)
      const input = {
        ...s3.address,
        ...objectOptions,
        // What is sent once more to prove itself stands there by now.
        ...(proof?.isAgain === true ? {} : conditionOf(delivery)),
        ...(proof === undefined ? {} : { ContentMD5: proof.contentMd5 }),
        ...checksumOf(s3.capabilities, crc),
        Key: key,
        Body: body,
        ContentType: 'text/csv',
        Metadata: { ...describeForMetadata(csv), crc32: toHex(crc) },
      }
      return await s3.send(`Upload of ${csv.name}`, new PutObjectCommand(input))
    }
    return withFallback(s3, uses, attempt, most)
  }
  const { answer, isVerified } = await sendVerified(s3, { body, crc32: crc }, key, send)
  return { etag: answer.ETag, versionId: answer.VersionId, isVerified }
}

/**
 * Says so, once a run, if the server ignores `If-None-Match`. That shows only when it is tried: what has just landed is
 * sent once more, which a server that obeys refuses. AWS obeys, and a bucket with versions loses nothing.
 * @returns what stands there in the end
 * @throws FileFailure `verify_mismatch`
 */
async function noticeIgnoredCondition(delivery: Delivery, landed: Landed, body: Buffer, crc: number): Promise<Landed> {
  const { capabilities, stats } = delivery.s3
  if (!isProtected(delivery) || !capabilities.isCustom || landed.versionId !== undefined) return landed
  if (capabilities.isConditionTried || capabilities.lacks.has('conditions')) return landed
  capabilities.isConditionTried = true
  const again = await settle(() => put(delivery, body, crc))
  if (again instanceof Failure) {
    if (again.code === 'verify_mismatch') throw again
    capabilities.isConditionTried = statusOf(again) === 412
    return landed
  }
  stats.warnings.push('the server ignores If-None-Match: what others write while a run goes on may be written over')
  return again
}

/** The checksums of a file that is in memory. */
function digestBody(body: Buffer, crc: number, partSize: number, withMd5: boolean): Digest {
  // Objects that were sent whole, or in one part, need no other cut.
  const isOne = body.length <= partSize
  const parts = isOne
    ? [body]
    : Array.from({ length: Math.ceil(body.length / partSize) }, (_, index) =>
        body.subarray(index * partSize, (index + 1) * partSize),
      )
  return {
    partSize,
    crc32: crc,
    partCrc32s: isOne ? [crc] : parts.map(part => crc32(part)),
    partMd5s: withMd5 ? parts.map(part => createHash('md5').update(part).digest()) : [],
  }
}
