/** What can go wrong between the program and a server, done to real requests on their way. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer, Exchange, Fault, SeenRequest } from './proxy'
import { refuse } from './s3-server'

/** Nothing moves for so long on a slow link, again and again. */
const DRIP_MS = 100

export type Kind =
  | 'HeadBucket'
  | 'CreateBucket'
  | 'ListObjectsV2'
  | 'HeadObject'
  | 'PutObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'other'

/** Which of S3's operations a request is, by its method and its path-style URL. */
export function kindOf({ method, url }: Pick<SeenRequest, 'method' | 'url'>): Kind {
  const { pathname, searchParams } = new URL(url, 'http://proxy')
  if (/^\/[^/]+\/?$/.test(pathname)) {
    if (method === 'GET' && searchParams.has('list-type')) return 'ListObjectsV2'
    if (method === 'HEAD') return 'HeadBucket'
    return method === 'PUT' && !searchParams.has('lifecycle') ? 'CreateBucket' : 'other'
  }
  if (method === 'HEAD') return 'HeadObject'
  if (method === 'PUT') return searchParams.has('partNumber') ? 'UploadPart' : 'PutObject'
  if (method === 'DELETE') return 'AbortMultipartUpload'
  if (method === 'POST') return searchParams.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
  return 'other'
}

/** One bit off, in the last byte; of nothing, nothing. */
export function oneBitOff(content: Buffer): Buffer {
  return Buffer.concat([content.subarray(0, -1), content.subarray(-1).map(byte => byte ^ 1)])
}

export const FAULTS = {
  'a reset in the middle of the body': async ({ incoming }) => {
    let left = Math.floor(Number(incoming.headers['content-length'] ?? 0) / 2)
    await new Promise<void>(resolve => {
      incoming.on('end', resolve).on('data', (chunk: Buffer) => {
        left -= chunk.length
        if (left <= 0) resolve()
      })
    })
    incoming.socket.resetAndDestroy()
  },
  'a server that stops reading': () => {},
  'a server that never answers': async ({ receive }) => void (await receive()),
  '503 SlowDown': answerInstead(503, 'SlowDown'),
  '503 SlowDown with Retry-After': answerInstead(503, 'SlowDown', { 'retry-after': '1' }),
  '500 InternalError': answerInstead(500, 'InternalError'),
  'a lost answer': async exchange => {
    await ask(exchange)
    exchange.incoming.socket.destroy()
  },
  'another body than was sent': async exchange => {
    const isContent = exchange.incoming.method === 'PUT'
    const answer = await ask(exchange, body => (isContent ? oneBitOff(body) : body))
    exchange.response.writeHead(answer.status, answer.headers).end(answer.body)
  },
  'a truncated answer': async exchange => {
    const { head, body } = serialize(exchange, await ask(exchange))
    const rest =
      body.length === 0 ? head.subarray(0, head.length / 2) : Buffer.concat([head, body.subarray(0, body.length / 2)])
    exchange.incoming.socket.end(rest)
  },
  'a slow drip': async exchange => {
    const { incoming } = exchange
    incoming.on('data', () => {
      incoming.pause()
      setTimeout(() => incoming.resume(), 4)
    })
    const { head, body } = serialize(exchange, await ask(exchange))
    const bytes = Buffer.concat([head, body])
    const step = Math.ceil(bytes.length / 40)
    for (let offset = 0; offset < bytes.length; offset += step) {
      incoming.socket.write(bytes.subarray(offset, offset + step))
      await pause(DRIP_MS)
    }
    incoming.socket.end()
  },
} as const satisfies Record<string, Fault>

/** For the first `times` requests that `wanted` holds for; how many there were. */
export function breakFirst(fault: Fault, times: number): Fault {
  let left = times
  return async exchange => {
    left -= 1
    if (left >= 0) return await fault(exchange)
    await passOn(exchange)
  }
}

/** Passes the request on as it came. */
export async function passOn(exchange: Exchange): Promise<void> {
  const answer = await ask(exchange)
  exchange.response.writeHead(answer.status, answer.headers).end(answer.body)
}

export function answerInstead(status: number, code: string, headers: Record<string, string> = {}): Fault {
  return async ({ receive, response }) => {
    await receive()
    refuse(response, status, code, headers)
  }
}

/** What the server answers to the request, with another body perhaps. */
export async function ask({ receive, forward }: Exchange, change = (body: Buffer) => body): Promise<Answer> {
  const seen = await receive()
  if (seen === undefined) throw new Error('the request broke off by itself')
  return await forward(seen, change(seen.body))
}

/** The answer as it goes over the wire, on a connection that ends with it. */
function serialize({ incoming }: Exchange, { status, headers, body }: Answer): { head: Buffer; body: Buffer } {
  const { 'transfer-encoding': _, ...others } = headers
  const length = incoming.method === 'HEAD' || status === 204 ? {} : { 'content-length': String(body.length) }
  const lines = Object.entries({ ...others, ...length, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return { head: Buffer.from(`HTTP/1.1 ${status} Answer\r\n${lines.join('\r\n')}\r\n\r\n`), body }
}
