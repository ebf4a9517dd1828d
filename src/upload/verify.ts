/** Compares what a server says it stored with what was read from disk. */
import { createHash } from 'node:crypto'
import type { CsvFile } from '../csv/csv-file'
import { FileFailure } from '../errors'
import { toBase64, toComposite } from '../lib/crc32'
import { md5Of } from '../s3/objects'

/** What an answer may carry to compare. */
interface Stored {
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
  readonly ChecksumCRC32?: string | undefined
  readonly ServerSideEncryption?: string | undefined
  readonly SSECustomerAlgorithm?: string | undefined
}

/**
 * Whether the answer to a request whose body was `body` proves that it arrived; `false` where it says nothing.
 * @throws FileFailure `verify_mismatch` where it proves that something else is stored.
 */
export function verifyBody(stored: Stored, body: Buffer, crc: number, key: string): boolean {
  const object = nameVersion(key, stored)
  if (stored.ChecksumCRC32 !== undefined) return expectSame(object, 'CRC-32', toBase64(crc), stored.ChecksumCRC32)
  const md5 = md5Of(stored)
  return md5 !== undefined && expectSame(object, 'MD5', createHash('md5').update(body).digest('hex'), md5)
}

/** The same for a whole object by its checksum, `COMPOSITE` (with the number of its parts behind it) or not. */
export function verifyObject(stored: Stored | undefined, file: CsvFile, key: string): boolean {
  const checksum = stored?.ChecksumCRC32
  if (checksum === undefined) return false
  const expected = checksum.includes('-') ? toComposite(file.partCrc32s) : toBase64(file.crc32)
  return expectSame(nameVersion(key, stored), 'CRC-32', expected, checksum)
}

/** What to look at, where the bucket keeps versions. */
export function nameVersion(key: string, stored: Stored | undefined): string {
  return stored?.VersionId === undefined ? key : `${key} (version ${stored.VersionId})`
}

/** @throws FileFailure `verify_mismatch` */
export function expectSame(object: string, kind: string, expected: string, stored: string): true {
  if (expected === stored) return true
  throw new FileFailure(`${object} is not what was sent: its ${kind} is ${stored} and should be ${expected}.`, {
    code: 'verify_mismatch',
    advice: 'Do not use the object; start the run again, and look into what stands between here and the server.',
    retryable: true,
  })
}
