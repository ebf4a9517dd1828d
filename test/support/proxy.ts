/** A proxy in front of a real S3 server that sees every request, and breaks what a server would not. */
import assert from 'node:assert/strict'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { after } from 'node:test'
import { listen } from './listen'

export interface SeenRequest {
  readonly method: string
  /** Path and query, as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What to do with a request: forward it (with another body, perhaps), or nothing, since it was answered. */
type Meddle = (seen: SeenRequest, response: ServerResponse) => Promise<Buffer | undefined> | Buffer | undefined

/** What the server answered, whole. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A request of which no more than the head has arrived. */
export interface Exchange {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  /** The request with its body; `undefined` where the connection broke before all of it was there. */
  receive(): Promise<SeenRequest | undefined>
  forward(seen: SeenRequest, body: Buffer): Promise<Answer>
}

/** Deals with a request in place of the server. */
export type Fault = (exchange: Exchange) => Promise<void> | void

export interface TestProxy {
  /** For the program's environment. */
  readonly url: string
  /** In the order of their arrival. */
  readonly seen: SeenRequest[]
  /** The most bytes of bodies that were between arrival and answer at once. */
  mostBytesInFlight: number
  /** Requests that have arrived and are not answered, and the most of them at once. */
  inFlight: number
  mostInFlight: number
  /** Connections that were opened. */
  connections: number
  meddle: Meddle
  /** The fault for a request, which is then not meddled with. */
  breakWith: (request: Pick<SeenRequest, 'method' | 'url' | 'headers'>) => Fault | undefined
}

/**
 * A proxy until the test ends.
 * @param forward asks the server
 * @param tls the key and the certificate of a proxy that speaks TLS
 */
export async function startProxy(
  forward: Exchange['forward'],
  tls?: { readonly key: string; readonly cert: string },
): Promise<TestProxy> {
  let bytesInFlight = 0
  const listener: RequestListener = async (incoming, response) => {
    const { method = '', url = '', headers } = incoming
    const receive: Exchange['receive'] = async () => {
      const body = await buffer(incoming).catch(() => undefined)
      if (body === undefined) return undefined
      const seen = { method, url, headers, body }
      proxy.seen.push(seen)
      bytesInFlight += body.length
      proxy.mostBytesInFlight = Math.max(proxy.mostBytesInFlight, bytesInFlight)
      proxy.inFlight += 1
      proxy.mostInFlight = Math.max(proxy.mostInFlight, proxy.inFlight)
      response.on('close', () => {
        proxy.inFlight -= 1
        bytesInFlight -= body.length
      })
      return seen
    }
    const fault = proxy.breakWith({ method, url, headers })
    if (fault !== undefined) return await fault({ incoming, response, receive, forward })
    const seen = await receive()
    if (seen === undefined) return
    const forwarded = await proxy.meddle(seen, response)
    if (forwarded === undefined) return
    try {
      const answer = await forward(seen, forwarded)
      response.writeHead(answer.status, answer.headers).end(answer.body)
    } catch {
      response.destroy()
    }
  }
  const listening = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  listening.on('connection', () => {
    proxy.connections += 1
  })
  const port = await listen(listening)
  after(() => {
    const deletions = proxy.seen.filter(({ method, url }) => method === 'DELETE' && !url.includes('uploadId='))
    assert.deepEqual(deletions, [], 'the program deletes nothing but unfinished uploads')
  })
  const proxy: TestProxy = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen: [],
    mostBytesInFlight: 0,
    inFlight: 0,
    mostInFlight: 0,
    connections: 0,
    meddle: seen => seen.body,
    breakWith: () => undefined,
  }
  return proxy
}

/** To the server on a port of this machine. The host goes on as it came, since the signature covers it. */
export function forwardTo(port: number): Exchange['forward'] {
  return async ({ method, url, headers }, body) => {
    const onwards = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false })
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      onwards.on('response', resolve).on('error', reject).end(body),
    )
    return { status: answer.statusCode ?? 500, headers: answer.headers, body: await buffer(answer) }
  }
}
