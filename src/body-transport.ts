/** How bodies leave: in slices, so that it can be seen how far they are. */
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'

/** What is handed to the socket at once. */
const SLICE_BYTES = 256 * 1024

/** Bodies on their way, each with what counts its bytes. */
export type Bodies = WeakMap<Buffer, { bytesSent: number }>

type Middleware = <Args extends { request: unknown }, Output>(
  next: (args: Args) => Promise<Output>,
) => (args: Args) => Promise<Output>

/**
 * Teaches `client` to send `bodies` so. Each attempt cuts the body anew, after it was signed: to all else, and to who
 * tries again, it is a Buffer of a known length.
 */
export function sliceBodies({ middlewareStack }: S3Client, bodies: Bodies): void {
  const sliceBody: Middleware = next => args => {
    const request = args.request as { body?: unknown }
    const counter = Buffer.isBuffer(request.body) ? bodies.get(request.body) : undefined
    if (Buffer.isBuffer(request.body) && counter !== undefined)
      request.body = Readable.from(slice(request.body, counter))
    return next(args)
  }
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
