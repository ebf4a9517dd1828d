/** The object that says that a run is done: written last, when every file has landed. */
import { crc32 } from 'node:zlib'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { checksumOf, withFallback } from '../s3/capabilities'
import type { S3 } from '../s3/request'
import type { ObjectOptions } from './object-options'
import { type Proof, sendVerified } from './verify'

/**
 * Writes `content` as JSON under `key`, over the manifest of an earlier run for the same date.
 * @throws Failure
 */
export async function writeManifest(s3: S3, key: string, content: object, options: ObjectOptions): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(content)}\n`)
  const crc = crc32(text)
  // If no file had to be sent, this is the first body that the server sees.
  const send = (proof?: Proof, most?: number) => {
    const attempt = () => {
      const checks = {
        ...checksumOf(s3.capabilities, crc),
        ...(proof === undefined ? {} : { ContentMD5: proof.contentMd5 }),
      }
      const input = { ...s3.address, ...options, ...checks, Key: key, Body: text, ContentType: 'application/json' }
      return s3.send(`Writing the manifest ${key}`, new PutObjectCommand(input))
    }
    return withFallback(s3, ['unsignedBodies', 'checksums'], attempt, most)
  }
  await sendVerified(s3, { body: text, crc32: crc }, key, send)
}
