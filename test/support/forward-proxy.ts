/** A proxy on the way out, as companies have them: it tunnels, forwards, asks for a password, and keeps count. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from './listen'

export interface ForwardProxy {
  readonly port: number
  /** Each tunnel (`CONNECT host:port`) and each forwarded request (`PUT http://host/…`) that was let through. */
  readonly passed: string[]
  /** How many were refused for their password. */
  refused: number
}

interface Options {
  /** `user:password`, which each request must carry. */
  readonly login?: string
  /** The key and the certificate of a proxy that is itself spoken to over TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Answers every request with this status instead of passing it on. */
  readonly status?: number
}

/** A proxy until the test ends. */
export async function startForwardProxy({ login, tls, status }: Options = {}): Promise<ForwardProxy> {
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`
  /** The status to refuse a request with. */
  const refuse = ({ headers }: IncomingMessage): number | undefined => {
    if (wanted === undefined || headers['proxy-authorization'] === wanted) return status
    proxy.refused += 1
    return 407
  }
  const forward = (incoming: IncomingMessage, response: ServerResponse) => {
    const refusal = refuse(incoming)
    if (refusal !== undefined) return void response.writeHead(refusal, REFUSAL_HEADERS).end(PAGE)
    const { method = '', url = '', headers } = incoming
    proxy.passed.push(`${method} ${url}`)
    const { host, port, hostname, pathname, search } = new URL(url)
    const onwards = request({ hostname, port, method, path: pathname + search, headers: { ...headers, host } })
    onwards.on('response', answer => answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers)))
    onwards.on('error', () => response.destroy())
    incoming.pipe(onwards)
  }
  const tunnel = (incoming: IncomingMessage, near: Duplex) => {
    near.on('error', () => far?.destroy())
    let far: Duplex | undefined
    const refusal = refuse(incoming)
    if (refusal !== undefined) {
      const headers = Object.entries(REFUSAL_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`)
      return void near.end(`HTTP/1.1 ${refusal} No\r\n${headers.join('')}\r\n${PAGE}`)
    }
    proxy.passed.push(`CONNECT ${incoming.url}`)
    const { hostname, port } = new URL(`http://${incoming.url}`)
    far = connect(Number(port), hostname, () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n')
      far?.pipe(near).pipe(far)
    }).on('error', () => near.destroy())
  }
  const server: Server = tls === undefined ? createServer(forward) : createTlsServer(tls, forward)
  server.on('connect', tunnel)
  const proxy: ForwardProxy = { port: await listen(server), passed: [], refused: 0 }
  return proxy
}

/** What proxies say in place of the server: a page for people. */
const PAGE = '<!DOCTYPE html><html><body><h1>No way</h1><p>Ask your administrator.</body></html>'
const REFUSAL_HEADERS = {
  'content-type': 'text/html',
  'content-length': String(PAGE.length),
  'proxy-authenticate': 'Basic realm="way out"',
}
