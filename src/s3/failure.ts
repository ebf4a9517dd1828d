/** Turns what the SDK throws into the failures of this program; only here and in create-bucket are its names known. */
import { S3ServiceException } from '@aws-sdk/client-s3'
import { BucketFailure, CredentialsFailure, EndpointFailure, Failure, FileFailure } from '../errors'
import { refusedByProxy } from './agents'

/** Advice for each error that says something about the credentials. */
const CREDENTIAL_ERRORS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'Check AWS_ACCESS_KEY_ID: this server does not know the key.',
  SignatureDoesNotMatch: 'Check AWS_SECRET_ACCESS_KEY: it does not belong to the access key id, or was cut or quoted.',
  ExpiredToken: 'Get new temporary credentials.',
  ExpiredTokenException: 'Get new temporary credentials.',
  TokenRefreshRequired: 'Get new temporary credentials.',
  InvalidToken: 'Check AWS_SESSION_TOKEN: it does not belong to the access key, or was cut.',
  RequestTimeTooSkewed: 'Set the clock of this machine.',
  CredentialsProviderError: 'Check the profile or the role that the AWS default chain finds.',
}

/** Advice for each error that says that the bucket, not the file, is the trouble. */
const BUCKET_ERRORS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'It was there when the run began: create it again, or find out who removes it.',
  AccessDenied: 'Allow s3:PutObject on the bucket for these credentials, and check the bucket policy.',
  AllAccessDisabled: 'Choose another bucket.',
  AccountProblem: 'Look into the AWS account.',
  PermanentRedirect: 'Set AWS_REGION to the region of the bucket, or check the endpoint.',
  AuthorizationHeaderMalformed: 'Set AWS_REGION to the region of the bucket.',
  IllegalLocationConstraintException: 'Set AWS_REGION to the region that the endpoint serves.',
}

/** Node's and OpenSSL's codes for a server certificate that cannot be trusted. */
const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/
const CERTIFICATE_ADVICE: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'Check the endpoint: the certificate that answers there is for another host.',
  CERT_HAS_EXPIRED: "Have the server's certificate renewed, or set the clock of this machine.",
  CERT_NOT_YET_VALID: "Set the clock of this machine: the server's certificate is not valid yet.",
}

/** OpenSSL's name for an answer that is no TLS at all. */
const NOT_TLS = /wrong version number/

/** The server's answer behind `error`, be it wrapped in a failure or not; `undefined` where there was no answer. */
export function sdkErrorOf(error: unknown): S3ServiceException | undefined {
  const inner = error instanceof Failure ? error.cause : error
  return inner instanceof S3ServiceException ? inner : undefined
}

/** The name of what a server answered or what kept it from answering, such as `NoSuchBucket` or `ECONNREFUSED`. */
export function nameError(error: unknown): string {
  const inner = error instanceof Failure ? (error.cause ?? error) : error
  if (!(inner instanceof Error)) return String(inner)
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.name
}

/** The HTTP status of an answer; `undefined` where there was none. */
export function statusOf(error: unknown): number | undefined {
  return sdkErrorOf(error)?.$metadata.httpStatusCode
}

/**
 * Whether a server that is not AWS may have refused a request for its checksum headers: some know nothing of them, and
 * some sign other headers than they were sent. Its credentials have served by then.
 */
export function refusesChecksums(error: unknown): boolean {
  // One that compared them knows them.
  if (isDamaged(error)) return false
  const message = sdkErrorOf(error)?.message ?? ''
  return statusOf(error) === 501 || nameError(error) === 'SignatureDoesNotMatch' || /checksum/i.test(message)
}

/**
 * Whether a request may have been refused for its unsigned body: by a bucket policy, which gives no reason, or by a
 * server that does not know such.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
 */
export function refusesUnsignedBody(error: unknown): boolean {
  const names = ['AccessDenied', 'SignatureDoesNotMatch', 'XAmzContentSHA256Mismatch']
  const message = sdkErrorOf(error)?.message ?? ''
  return statusOf(error) === 501 || names.includes(nameError(error)) || /sha256|unsigned/i.test(message)
}

/** Whether the server does not know a header whose name `header` matches, or any header that it was sent. */
export function refusesHeader(error: unknown, header: RegExp): boolean {
  const message = sdkErrorOf(error)?.message ?? ''
  const isUnknown = statusOf(error) === 400 && /unsupported|not supported|not implemented|unknown/i.test(message)
  return statusOf(error) === 501 || header.test(message) || (isUnknown && /header/i.test(message))
}

/** Whether the server says that what arrived is not what was sent. */
export function isDamaged(error: unknown): boolean {
  return /^BadDigest$|Mismatch$/.test(nameError(error))
}

/** A server may repeat what it was sent: takes `secrets` and signatures out of all that is ever shown of `error`. */
export function hideSecrets(error: unknown, secrets: readonly string[]): void {
  if (!(error instanceof Error)) return
  const forms = secrets.flatMap(secret => [secret, encodeURIComponent(secret)])
  for (const property of ['name', 'message', 'stack'] as const) {
    const text = error[property] ?? ''
    const shown = forms
      .reduce((rest, form) => rest.replaceAll(form, '[secret]'), text)
      .replace(/(?<=Signature=)\w+/g, '[secret]')
    if (shown !== text) error[property] = shown
  }
}

/** `error`, thrown by a request that was to do `what` (such as `Upload of movies.csv`), as one of ours. */
export function toFailure(error: unknown, what: string): Failure {
  if (error instanceof Failure) return error
  const name = nameError(error)
  const status = statusOf(error)
  // No S3 server has this status.
  if (status === 407) return refusedByProxy(status, what)
  const said = `${what} failed: ${name}${explain(error, name)}.`
  const credentials = CREDENTIAL_ERRORS[name]
  if (credentials !== undefined)
    return new CredentialsFailure(said, { code: 'credentials', advice: credentials, cause: error })
  const bucket = BUCKET_ERRORS[name]
  if (bucket !== undefined) return new BucketFailure(said, { code: 'bucket', advice: bucket, cause: error })
  if (status === undefined || status >= 500 || status === 429 || status === 408) {
    return new EndpointFailure(said, { code: 'endpoint', advice: adviseOnEndpoint(name, status, said), cause: error })
  }
  const retryable = isDamaged(error)
  return new FileFailure(said, {
    code: 'refused_by_server',
    advice: retryable
      ? 'Look into what stands between here and the server: it changes what is sent. Then start the run again.'
      : "Look the name up in the server's documentation.",
    cause: error,
    retryable,
  })
}

function adviseOnEndpoint(name: string, status: number | undefined, said: string): string {
  if (status !== undefined) return 'Start it again later: the server is overloaded or has a fault.'
  if (CERTIFICATE_ERROR.test(name)) {
    return (
      CERTIFICATE_ADVICE[name] ?? "Set AWS_CA_BUNDLE to the file of the authority that signed the server's certificate."
    )
  }
  if (NOT_TLS.test(said)) return 'Check the port, or write http:// if that is meant.'
  if (name === 'ENOTFOUND' || name === 'EAI_AGAIN')
    return 'Check the endpoint, the region and the network: the name does not resolve.'
  return 'Check that the endpoint is right and answers (https:// or http://, the port), and that the network and the proxy between let it through.'
}

/** What the error says beyond its name. */
function explain(error: unknown, name: string): string {
  const text = error instanceof Error ? (error.message.split('\n', 1)[0]?.replace(/\.$/, '') ?? '') : ''
  if (NOT_TLS.test(text)) return ' (the server does not speak TLS there: wrong version number)'
  return ['', name, 'UnknownError'].includes(text) ? '' : ` (${text})`
}
