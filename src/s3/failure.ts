/** Turns what the SDK throws into the failures of this program: only here are its names known. */
import type { S3ServiceException } from '@aws-sdk/client-s3'
import {
  BucketFailure,
  ConfigFailure,
  CredentialsFailure,
  EndpointFailure,
  Failure,
  FileFailure,
  type S3Answer,
} from '../errors'
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

/** A server without room: MinIO's and Ceph's names, and WebDAV's status. */
const STORAGE_FULL = /^(InsufficientStorage|XMinioStorageFull|QuotaExceeded|InsufficientCapacity)$/

/** The SDK's error behind `error`, be it wrapped in a failure or not. */
function sdkErrorOf(error: unknown): (Error & Partial<S3ServiceException>) | undefined {
  const inner = error instanceof Failure ? error.cause : error
  return inner instanceof Error ? inner : undefined
}

/**
 * The name of what a server answered or what kept it from answering, such as `NoSuchBucket` or `ECONNREFUSED`. An answer
 * that is not S3's is named by its status.
 */
export function nameError(error: unknown): string {
  const inner = error instanceof Failure ? (error.cause ?? error) : error
  if (!(inner instanceof Error)) return String(inner)
  if (isPage(error)) return `HTTP ${statusOf(error)}`
  return 'code' in inner && typeof inner.code === 'string' ? inner.code : inner.name
}

/** The HTTP status of an answer; `undefined` if there was none. */
export function statusOf(error: unknown): number | undefined {
  return sdkErrorOf(error)?.$metadata?.httpStatusCode
}

/** A header of the answer, by its name in lower case. */
export function headerOf(error: unknown, name: string): string | undefined {
  return sdkErrorOf(error)?.$response?.headers[name]
}

/** Whether the answer is not S3's: a page of a proxy, a portal or a gateway, or a status of HEAD that S3 does not have. */
function isPage(error: unknown): boolean {
  const inner = sdkErrorOf(error)
  if (inner === undefined || statusOf(error) === undefined) return false
  return inner.name === 'Unknown' || (isUnreadable(inner) && /html/i.test(headerOf(error, 'content-type') ?? ''))
}

/** Whether the SDK could make nothing of the answer's body: a page, or an answer that was broken off. */
function isUnreadable({ name, message }: Error): boolean {
  return name === 'Error' && /parse error|deserialization/i.test(message)
}

/**
 * Whether a server that is not AWS may have refused a request for its checksum headers: some know nothing of them, and
 * some sign other headers than they were sent. A wrong secret is ruled out: earlier requests succeeded.
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
  const s3 = describeAnswer(error, name, status)
  const details = (code: Failure['code'], advice: string) => ({ code, advice, cause: error, ...s3 })
  if (isPage(error) && status !== undefined) return describePage(what, status, details)

  const inner = sdkErrorOf(error)
  if (inner !== undefined && isUnreadable(inner)) {
    const advice = 'Start the run again, and look into what stands between here and the server.'
    return new EndpointFailure(`${what} failed: the answer is broken off or damaged.`, details('endpoint', advice))
  }
  const said = `${what} failed: ${name}${explain(error, name)}.`
  const kms = /\bkms:\w+/.exec(inner?.message ?? '')?.[0]
  if (status === 403 && kms !== undefined) {
    return new BucketFailure(
      said,
      details('bucket', `Allow ${kms} for these credentials, in IAM and in the key's policy.`),
    )
  }
  if (status === 507 || STORAGE_FULL.test(name)) {
    return new BucketFailure(said, details('bucket', 'The storage is full, or its quota is used up: make room there.'))
  }
  const credentials = CREDENTIAL_ERRORS[name]
  if (credentials !== undefined) return new CredentialsFailure(said, details('credentials', credentials))
  const bucket = BUCKET_ERRORS[name]
  if (bucket !== undefined) return new BucketFailure(said, details('bucket', bucket))
  if (NOT_TLS.test(said)) {
    return new ConfigFailure(
      said,
      details('bad_config', 'Check the port of the endpoint, or write http:// if that is meant.'),
    )
  }
  const isOverloaded = status !== undefined && (status > 501 || status === 500 || status === 429 || status === 408)
  if (status === undefined || isOverloaded) {
    return new EndpointFailure(said, details('endpoint', adviseOnEndpoint(error, name, status)))
  }
  if (isDamaged(error)) {
    const advice =
      'Look into what stands between here and the server: it changes what is sent. Then start the run again.'
    return new FileFailure(said, { ...details('refused_by_server', advice), retryable: true })
  }
  const advice =
    status === 501
      ? 'This server does not have what the request asks for: look the name up in its documentation.'
      : "Look the name up in the server's documentation."
  return new FileFailure(said, details('refused_by_server', advice))
}

/** What S3 said, for programs; nothing if nobody answered. */
function describeAnswer(error: unknown, code: string, status: number | undefined): { readonly s3?: S3Answer } {
  if (status === undefined) return {}
  const requestId = headerOf(error, 'x-amz-request-id')
  return { s3: { code, status, ...(requestId === undefined ? {} : { requestId }) } }
}

/** The failure of `what` if something else than the server answered it. */
function describePage(
  what: string,
  status: number,
  details: (code: Failure['code'], advice: string) => ConstructorParameters<typeof ConfigFailure>[1],
): Failure {
  const said = `${what} failed: HTTP ${status}, with a page that is not S3's.`
  if (status >= 300 && status < 400) {
    const advice = 'Check the endpoint. If a portal answers in its place, sign in to the network first.'
    return new ConfigFailure(said, details('bad_config', advice))
  }
  if (status === 401) {
    const advice = 'Check the endpoint: something before the server asks for credentials of its own.'
    return new CredentialsFailure(said, details('credentials', advice))
  }
  if (status === 403) {
    const advice = 'A proxy, a firewall or a gateway refuses the request: have the endpoint allowed there.'
    return new BucketFailure(said, details('bucket', advice))
  }
  if (status === 413) {
    const advice =
      'Raise the limit for bodies of the proxy or gateway before the server to 8 MiB or more (nginx: client_max_body_size).'
    return new FileFailure(said, details('refused_by_server', advice))
  }
  if (status >= 500) {
    const advice = 'Start the run again later: the server behind the proxy or gateway does not answer.'
    return new EndpointFailure(said, details('endpoint', advice))
  }
  return new FileFailure(
    said,
    details('refused_by_server', 'Check the endpoint: what answers there is not an S3 server.'),
  )
}

function adviseOnEndpoint(error: unknown, name: string, status: number | undefined): string {
  if (status !== undefined) return 'Start the run again later: the server is overloaded or has a fault.'
  if (CERTIFICATE_ERROR.test(name)) {
    return (
      CERTIFICATE_ADVICE[name] ?? "Set AWS_CA_BUNDLE to the file of the authority that signed the server's certificate."
    )
  }
  if (name === 'ENOTFOUND' || name === 'EAI_AGAIN')
    return 'Check the endpoint, the region and the network: the name does not resolve.'
  const inner = sdkErrorOf(error)
  const isLocal = inner !== undefined && 'address' in inner && /^(127\.|::1$)/.test(String(inner.address))
  const container = isLocal ? ' In a container, localhost is the container itself.' : ''
  return `Check that the endpoint is right and answers (https:// or http://, the port), and that the network and the proxy between let it through.${container}`
}

/** What the error says beyond its name. */
function explain(error: unknown, name: string): string {
  const text = error instanceof Error ? (error.message.split('\n', 1)[0]?.replace(/\.$/, '') ?? '') : ''
  if (NOT_TLS.test(text)) return ' (the server does not speak TLS there: wrong version number)'
  // Node 24 adds a hint of its own, which is not how this program is started.
  const said = text.replace(/; if the root CA is installed locally.*$/, '')
  return ['', name, 'UnknownError'].includes(said) ? '' : ` (${said})`
}
