/** Compares what a server says it stored with what was read from disk. */
import { createHash } from 'node:crypto'
import type { CsvPart, Digest } from '../csv/read-csv'
import { Failure, FileFailure, settle } from '../errors'
import { toBase64, toComposite } from '../lib/crc32'
import { learnLack } from '../s3/capabilities'
import { statusOf } from '../s3/failure'
import { bareEtag, headObject, md5Of } from '../s3/objects'
import type { S3 } from '../s3/request'
import { toCompositeEtag } from './compare'
import type { Delivery } from './delivery'

/** What an answer may carry to compare. */
interface Stored {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
  readonly ChecksumCRC32?: string | undefined
  readonly ServerSideEncryption?: string | undefined
  readonly SSECustomerAlgorithm?: string | undefined
}

/** The checksums of a whole object. An object that was sent whole has no parts to tell. */
type Whole = Pick<Digest, 'crc32'> & Partial<Pick<Digest, 'partCrc32s'>>

/**
 * Every S3 server gives what it stored an ETag. A console, a portal or a proxy may say 200 to anything.
 * @throws FileFailure `verify_mismatch`
 */
export function assertEtag(etag: string | undefined, name: string): void {
  if (etag !== undefined) return
  throw new FileFailure(`The upload of ${name} was answered without an ETag: nothing says that it landed.`, {
    code: 'verify_mismatch',
    advice: 'Check the endpoint: this is not an S3 server, or something else answers in its place.',
  })
}

/** What goes with a body that must prove itself by its Content-MD5. */
export interface Proof {
  readonly contentMd5: string
  /** The body was stored once by now: it stands under its key itself. */
  readonly isAgain: boolean
}

/**
 * Sends a body, and finds out whether the server stored what was read.
 * @param send sends it, with a proof if one is given, and so many times at most if it is damaged on its way
 * @param object what to call it in a message
 * @throws FileFailure `verify_mismatch`, or what `send` throws
 */
export async function sendVerified<Answer extends Stored>(
  s3: S3,
  { body, crc32 }: CsvPart,
  object: string,
  send: (proof?: Proof, most?: number) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly isVerified: boolean }> {
  const { capabilities } = s3
  const sendWithMd5 = async (isAgain: boolean) => {
    const answer = await send({ contentMd5: createHash('md5').update(body).digest('base64'), isAgain })
    assertEtag(answer.ETag, object)
    return { answer, isVerified: true }
  }
  if (capabilities.lacks.has('md5Etags')) return await sendWithMd5(false)
  const answer = await send()
  assertEtag(answer.ETag, object)
  try {
    return { answer, isVerified: verifyBody(answer, body, crc32, object) }
  } catch (mismatch) {
    const isOpaque = capabilities.isCustom && answer.ChecksumCRC32 === undefined
    if (!isOpaque || !(await comparesMd5(send))) throw mismatch
    const sent = await sendWithMd5(true)
    learnLack(s3, 'md5Etags', '')
    return sent
  }
}

/** Whether the server refuses a body whose Content-MD5 is that of another one. */
async function comparesMd5(send: (proof: Proof, most: number) => Promise<unknown>): Promise<boolean> {
  const contentMd5 = createHash('md5').update('another body').digest('base64')
  const answer = await settle(() => send({ contentMd5, isAgain: true }, 1))
  return answer instanceof Failure && statusOf(answer) === 400
}

/**
 * Whether the answer to a request whose body was `body` proves that it arrived; `false` if it says nothing.
 * @throws FileFailure `verify_mismatch` if it proves that something else is stored
 */
function verifyBody(stored: Stored, body: Buffer, crc: number, key: string): boolean {
  const object = nameVersion(key, stored)
  if (stored.ChecksumCRC32 !== undefined) return expectSame(object, 'CRC-32', toBase64(crc), stored.ChecksumCRC32)
  const md5 = md5Of(stored)
  return md5 !== undefined && expectSame(object, 'MD5', createHash('md5').update(body).digest('hex'), md5)
}

/**
 * Whether the answer to a completion proves that the object is the file: by its checksum, or by an ETag that is made of
 * the MD5s of parts that were verified.
 * @throws FileFailure `verify_mismatch`
 */
export function verifyCompleted(
  stored: Stored,
  digest: Digest,
  parts: readonly { readonly etag: string | undefined; readonly isVerified: boolean }[],
  key: string,
): boolean {
  if (verifyChecksum(stored, digest, key)) return true
  const etags = parts.map(({ etag }) => bareEtag(etag) ?? '')
  const areMd5s = parts.every(part => part.isVerified) && etags.every(etag => /^[0-9a-f]{32}$/.test(etag))
  return areMd5s && bareEtag(stored.ETag) === toCompositeEtag(etags.map(etag => Buffer.from(etag, 'hex')))
}

/**
 * For a write whose own answer proved nothing: looks at the object.
 * @param isProvedByParts the server's answers proved each part, so that the size of the whole is enough
 * @throws FileFailure `verify_mismatch`
 */
export async function verifyByHead({ s3, csv, key }: Delivery, whole: Whole, isProvedByParts = false): Promise<void> {
  const head = await headObject(s3, key)
  if (head === undefined) {
    throw new FileFailure(`${key} is not there, though the server took it.`, {
      code: 'verify_mismatch',
      advice: 'Start the run again, and look into what stands between here and the server.',
      retryable: true,
    })
  }
  if (head === 'denied') {
    return void s3.stats.warnings.push('not verifiable: these credentials may not look at what is stored')
  }
  if (head.ContentLength !== undefined) {
    expectSame(nameVersion(key, head), 'size', String(csv.size), String(head.ContentLength))
  }
  const isProved = verifyChecksum(head, whole, key) || (isProvedByParts && head.ContentLength !== undefined)
  if (!isProved) {
    s3.stats.warnings.push('not verifiable: the server gives no checksum of what it stored')
  }
}

/** By the checksum of the whole, `COMPOSITE` (with the number of its parts behind it) or not. */
function verifyChecksum(stored: Stored, { crc32, partCrc32s = [crc32] }: Whole, key: string): boolean {
  const checksum = stored.ChecksumCRC32
  if (checksum === undefined) return false
  const expected = checksum.includes('-') ? toComposite(partCrc32s) : toBase64(crc32)
  return expectSame(nameVersion(key, stored), 'CRC-32', expected, checksum)
}

/** What to look at, if the bucket keeps versions. */
function nameVersion(key: string, stored: Stored): string {
  return stored.VersionId === undefined ? key : `${key} (version ${stored.VersionId})`
}

function expectSame(object: string, kind: string, expected: string, stored: string): true {
  if (expected === stored) return true
  throw new FileFailure(`${object} is not what was sent: its ${kind} is ${stored} and should be ${expected}.`, {
    code: 'verify_mismatch',
    advice: 'Do not use the object; start the run again, and look into what stands between here and the server.',
    retryable: true,
  })
}
