/** The value of `BUCKET_NAME`: a bucket, or an access point that stands for one. */
import { ConfigFailure } from '../errors'
import { type Endpoint, refuse } from './values'

interface BucketName {
  /** What S3 takes as `Bucket`. */
  readonly bucket: string
  /** An access point cannot be created by creating a bucket. */
  readonly isAccessPoint: boolean
  /** The region in an access point's ARN. */
  readonly region: string | undefined
}

const NAME =
  '3 to 63 lower-case letters, digits, hyphens and single dots, starting and ending with a letter or digit, not an IP address'

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html */
const ARN = /^arn:aws[a-z-]*:s3:([a-z0-9-]+):\d{12}:accesspoint[:/][a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/

/** The names of before 2018, which other servers still take: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const WIDE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/

/**
 * @param endpoint the server, if it is not AWS: the older, wider rules hold there.
 * @throws ConfigFailure
 */
export function parseBucketName(name: string, text: string, endpoint: Endpoint | undefined): BucketName {
  if (/^s3:\/\//i.test(text)) throw refuse(name, text, 'the bare name, without s3:// and without a folder')
  if (text.startsWith('arn:')) {
    const [, region] = ARN.exec(text) ?? []
    if (region === undefined) {
      throw refuse(
        name,
        text,
        'the name of a bucket, or to the ARN of an access point such as arn:aws:s3:eu-west-1:123456789012:accesspoint/lake',
      )
    }
    return { bucket: text, isAccessPoint: true, region }
  }
  if (endpoint === undefined) assertAwsName(name, text)
  else if (!WIDE_NAME.test(text)) throw refuse(name, text, '3 to 255 letters, digits, hyphens, dots and underscores')
  return { bucket: text, isAccessPoint: text.endsWith('-s3alias'), region: undefined }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function assertAwsName(name: string, text: string): void {
  const shape = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text)
  if (!shape || text.includes('..') || /^\d{1,3}(\.\d{1,3}){3}$/.test(text)) throw refuse(name, text, NAME)
  const reserved = /^(xn--|sthree-|amzn-s3-demo-)|(--ol-s3|\.mrap|--x-s3|--table-s3)$/.exec(text)?.[0]
  if (reserved !== undefined) throw refuse(name, text, `a name without ${reserved}, which S3 keeps for itself`)
}

/**
 * Refuses an address that already holds the bucket, as consoles show it: every key would land under `bucket/`.
 * @throws ConfigFailure
 */
export function assertNoBucketIn({ setting, url: text }: Endpoint, bucket: string): void {
  const url = new URL(text)
  const segments = url.pathname.split('/').filter(segment => segment !== '')
  const isInPath = segments.at(-1) === bucket
  const isInHost = url.hostname.startsWith(`${bucket.toLowerCase()}.`) && !/^[\d.]+$/.test(url.hostname)
  if (!isInPath && !isInHost) return
  if (isInPath) url.pathname = segments.slice(0, -1).join('/')
  if (isInHost) url.hostname = url.hostname.slice(bucket.length + 1)
  throw new ConfigFailure(`${setting} is ${JSON.stringify(text)}, which already holds the bucket ${bucket}.`, {
    code: 'bad_config',
    advice: `Set ${setting} to ${url.href.replace(/\/$/, '')}.`,
  })
}
