/** How requests go over the wire: how long silence is waited out, how bodies leave, and what an early answer ends. */
import type { ClientRequest, Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { Readable } from 'node:stream'
import type { S3ClientConfig } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { CONNECTION_TIMEOUT_MS } from './agents'

/** A socket on which nothing moves for so long is given up. A slow socket on which something moves is not. */
const STALL_TIMEOUT_MS = 60_000
/**
 * S3 may take several minutes to complete a multipart upload.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
const COMPLETION_TIMEOUT_MS = 600_000

/** After its answer, a request whose body does not wait for the socket is given so long to get rid of it. */
const FLUSH_MS = 1000

/** The socket gets a body piece by piece: TLS would otherwise hold a second, encrypted copy of a whole part. */
const SLICE_BYTES = 512 * 1024

interface Agents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}
type HttpRequest = Parameters<NodeHttpHandler['handle']>[0]

/**
 * The client's request handler. The requests in flight are bounded before they come here: none waits for a socket
 * longer than it takes an answered request to give its socket back.
 * @param signal ends every request that has no signal of its own
 */
export function createTransport(agents: Agents, signal: AbortSignal): NonNullable<S3ClientConfig['requestHandler']> {
  const limits = { ...agents, connectionTimeout: CONNECTION_TIMEOUT_MS }
  const usual = new NodeHttpHandler({ ...limits, socketTimeout: STALL_TIMEOUT_MS })
  const patient = new NodeHttpHandler({ ...limits, socketTimeout: COMPLETION_TIMEOUT_MS })
  return {
    metadata: usual.metadata,
    handle: async (request: HttpRequest, options?: { abortSignal?: AbortSignal }) => {
      const isCompletion = request.method === 'POST' && 'uploadId' in (request.query ?? {})
      const { body } = request
      // The request was signed by now, and a further attempt begins with the Buffer again.
      if (Buffer.isBuffer(body) && body.length > SLICE_BYTES) request.body = slice(body)
      const answer = await (isCompletion ? patient : usual).handle(request, { abortSignal: signal, ...options })
      endUnfinishedRequest(answer.response.body)
      return answer
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => usual.httpHandlerConfigs(),
    destroy: () => usual.destroy(),
  }
}

function slice(body: Buffer): Readable {
  let rest = body
  return new Readable({
    read() {
      this.push(rest.length > 0 ? rest.subarray(0, SLICE_BYTES) : null)
      rest = rest.subarray(SLICE_BYTES)
    },
  })
}

/**
 * A server may refuse a request before it has read the body, and then reads no more. Without this, the socket would be
 * held until the stall timeout.
 */
function endUnfinishedRequest(answer: NodeJS.EventEmitter & { readonly req?: ClientRequest }): void {
  const { req: request } = answer
  if (request === undefined || request.writableFinished) return
  const end = () => {
    if (!request.writableFinished) request.destroy()
  }
  // What the server has read of the body, this process may be told a moment later.
  answer.once('end', () => setTimeout(end, request.writableNeedDrain ? 0 : FLUSH_MS).unref())
}
