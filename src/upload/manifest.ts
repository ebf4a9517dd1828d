/** The object that says that a run is done: written last, when every file has landed. */
import { crc32 } from 'node:zlib'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { checksumOf, withFallback } from '../s3/capabilities'
import type { S3 } from '../s3/request'
import type { ObjectOptions } from './object-options'
import { assertEtag, verifyBody } from './verify'

/**
 * Writes `content` as JSON under `key`, over the manifest of an earlier run for the same date.
 * @throws Failure
 */
export async function writeManifest(s3: S3, key: string, content: object, options: ObjectOptions): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(content)}\n`)
  const crc = crc32(text)
  // If no file had to be sent, this is the first body that the server sees.
  const answer = await withFallback(s3, ['unsignedBodies', 'checksums'], () => {
    const checksum = checksumOf(s3.capabilities, crc)
    const input = { ...s3.address, ...options, ...checksum, Key: key, Body: text, ContentType: 'application/json' }
    return s3.send(`Writing the manifest ${key}`, new PutObjectCommand(input))
  })
  assertEtag(answer.ETag, key)
  verifyBody(answer, text, crc, key)
}
