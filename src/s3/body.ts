/** How bodies leave: unsigned where TLS and a signed checksum cover them, and in slices. */
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Dialect } from './capabilities'

/** What is handed to the socket at once: of a whole part, a second, encrypted copy would be held. */
const SLICE_BYTES = 512 * 1024

/** Bodies on their way, each with what counts its bytes. */
export type Bodies = WeakMap<Buffer, { bytesSent: number }>

interface HttpRequest {
  readonly protocol: string
  readonly headers: Record<string, string>
  body?: unknown
}

type Middleware = <Args extends { request: unknown }, Output>(
  next: (args: Args) => Promise<Output>,
) => (args: Args) => Promise<Output>

/**
 * Teaches `client` to send `bodies` so. Each attempt cuts the body anew, after it was signed: to all else, and to who
 * tries again, it is a Buffer of a known length.
 */
export function tuneBodies({ middlewareStack }: S3Client, bodies: Bodies, dialect: Pick<Dialect, 'signsBodies'>): void {
  // A pass of SHA-256 over a body adds nothing where its CRC-32 is in a header, which is signed, and TLS protects both.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
  const leaveBodyUnsigned: Middleware = next => args => {
    const { protocol, headers } = args.request as HttpRequest
    const isCovered = protocol === 'https:' && 'x-amz-checksum-crc32' in headers
    if (isCovered && !dialect.signsBodies) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
    return next(args)
  }
  const sliceBody: Middleware = next => args => {
    const request = args.request as HttpRequest
    const { body } = request
    const counter = Buffer.isBuffer(body) ? bodies.get(body) : undefined
    if (Buffer.isBuffer(body) && counter !== undefined) {
      if (body.length > SLICE_BYTES) request.body = Readable.from(slice(body, counter))
      else counter.bytesSent += body.length
    }
    return next(args)
  }
  middlewareStack.add(leaveBodyUnsigned, { step: 'build', name: 'leaveBodyUnsigned' })
  middlewareStack.addRelativeTo(sliceBody, {
    relation: 'after',
    toMiddleware: 'httpSigningMiddleware',
    name: 'sliceBody',
  })
}

function* slice(body: Buffer, counter: { bytesSent: number }): Generator<Buffer> {
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    const piece = body.subarray(at, at + SLICE_BYTES)
    yield piece
    // Asked for the next one, the socket has taken this one.
    counter.bytesSent += piece.length
  }
}
