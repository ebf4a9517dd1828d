/** The value of `OBJECT_OPTIONS`: `StorageClass=STANDARD_IA; Tagging=team=data&tier=raw`. */
import { ObjectCannedACL, ServerSideEncryption, StorageClass } from '@aws-sdk/client-s3'
import { ConfigFailure } from '../errors'
import type { ObjectOptions } from '../upload/object-options'
import { oneOf, type Parse, parseBoolean, refuse } from './values'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html */
const MAX_TAGS = 10
const MAX_TAG_KEY = 128
const MAX_TAG_VALUE = 256

type Parsers = { readonly [Name in keyof Required<ObjectOptions>]: Parse<NonNullable<ObjectOptions[Name]>> }

/** Each option that `OBJECT_OPTIONS` may hold. The SDK lists the values that S3 has. */
const PARSERS: Parsers = {
  StorageClass: oneOf(...Object.values(StorageClass)),
  ServerSideEncryption: oneOf(...Object.values(ServerSideEncryption)),
  SSEKMSKeyId: (name, text) => {
    if (!/^[\w:/-]+$/.test(text)) throw refuse(name, text, 'the id, the alias or the ARN of a KMS key')
    return text
  },
  BucketKeyEnabled: parseBoolean,
  ACL: oneOf(...Object.values(ObjectCannedACL)),
  Tagging: parseTagging,
  CacheControl: (name, text) => {
    // A header's value: https://datatracker.ietf.org/doc/html/rfc9110#section-5.5
    if (!/^[\x20-\x7E]+$/.test(text)) throw refuse(name, text, 'a value in plain ASCII such as max-age=3600')
    return text
  },
}

/**
 * Options by S3's own parameter names, separated by `;`.
 * @throws ConfigFailure if S3 does not have an option or its value, or if two options do not go together.
 */
export function parseObjectOptions(name: string, text: string): ObjectOptions {
  const options: Record<string, unknown> = {}
  for (const part of text.split(';').map(option => option.trim())) {
    if (part === '') continue
    const [, option = '', value = ''] = /^([^=]*?)\s*=\s*(.*)$/s.exec(part) ?? []
    if (!Object.hasOwn(PARSERS, option)) {
      throw new ConfigFailure(`${name} holds ${JSON.stringify(part)}, which is no option that it takes.`, {
        code: 'bad_config',
        advice: `Write options as Name=value, separated by semicolons. The names are ${Object.keys(PARSERS).join(', ')}.`,
      })
    }
    if (Object.hasOwn(options, option)) {
      throw new ConfigFailure(`${name} holds ${option} twice.`, { code: 'bad_config', advice: 'Write it once.' })
    }
    options[option] = PARSERS[option as keyof ObjectOptions](`${option} in ${name}`, value)
  }
  assertKmsFor(name, options)
  return options
}

/** S3 refuses a key, and ignores a bucket key, without encryption by KMS. */
function assertKmsFor(name: string, options: ObjectOptions): void {
  const needsKms = (['SSEKMSKeyId', 'BucketKeyEnabled'] as const).find(option => options[option] !== undefined)
  if (needsKms === undefined || options.ServerSideEncryption?.startsWith('aws:kms')) return
  throw new ConfigFailure(`${name} holds ${needsKms} without ServerSideEncryption=aws:kms.`, {
    code: 'bad_config',
    advice: `Add ServerSideEncryption=aws:kms to ${name}, or take ${needsKms} out.`,
  })
}

/** Tags as in an address: `team=data&tier=raw`. */
function parseTagging(name: string, text: string): string {
  const tags = [...new URLSearchParams(text)]
  const isAllowed = (word: string, most: number) => word.length <= most && /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(word)
  const areAllowed = tags.every(
    ([key, value]) => key !== '' && isAllowed(key, MAX_TAG_KEY) && isAllowed(value, MAX_TAG_VALUE),
  )
  const areUnique = new Set(tags.map(([key]) => key)).size === tags.length
  if (tags.length === 0 || tags.length > MAX_TAGS || !areAllowed || !areUnique) {
    throw refuse(
      name,
      text,
      `1 to ${MAX_TAGS} different tags such as team=data&tier=raw, of letters, digits, spaces and _ . : / = + - @`,
    )
  }
  return new URLSearchParams(tags).toString()
}
