/** The way to the server: through a proxy or directly, and whose certificates are trusted. */
import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { BlockList, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, createSecureContext, type PeerCertificate, rootCertificates } from 'node:tls'
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { ConfigFailure, EndpointFailure, type Failure } from '../errors'

/** How long a connection may take to be there. */
export const CONNECTION_TIMEOUT_MS = 10_000

export interface Network {
  /** The address of the proxy for `https:`, with its password; `undefined`: none. */
  readonly httpsProxy: string | undefined
  /** The same for `http:`. */
  readonly httpProxy: string | undefined
  /** What is reached without a proxy, as the variable `NO_PROXY` has it. */
  readonly noProxy: string
  /** Certificates of authorities in PEM format, trusted besides Node's own. */
  readonly authorities: string | undefined
}

interface Agents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}

/**
 * The agents of a client.
 * @param maxSockets connections to one host at most
 */
export async function createAgents(network: Network, maxSockets: number): Promise<Agents> {
  const { httpProxy, httpsProxy, authorities } = network
  const pool = { keepAlive: true, maxSockets }
  // Made once: each connection would make one of its own, out of 150 certificates.
  const secureContext =
    authorities === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, authorities] })
  const tls = secureContext === undefined ? {} : { secureContext }
  const httpAgent = new HttpAgent(pool)
  const httpsAgent = new HttpsAgent({ ...pool, ...tls })
  const isDirect = readNoProxy(network.noProxy)
  if (httpProxy !== undefined) {
    const { HttpProxyAgent } = await import('http-proxy-agent')
    const proxied = limitConnecting(new HttpProxyAgent(httpProxy, { ...pool, ...tls }))
    divert(httpAgent, proxied, ({ host }) => (isDirect(host ?? '') ? undefined : { secureEndpoint: false }))
  }
  if (httpsProxy !== undefined) {
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    const proxied = limitConnecting(new HttpsProxyAgent(httpsProxy, { ...pool, ...tls }))
    proxied.on('proxyConnect', refuseTunnel)
    divert(httpsAgent, proxied, ({ host }) =>
      isDirect(host ?? '')
        ? undefined
        : {
            ...tls,
            secureEndpoint: true,
            // The library does not tell TLS an address that is no name: any certificate would be for another host.
            checkServerIdentity: (_: string, certificate: PeerCertificate) =>
              checkServerIdentity(host ?? '', certificate),
          },
    )
  }
  return { httpAgent, httpsAgent }
}

/** A connection that no request takes is closed after this: some servers answer 408 to one that asks for nothing. */
const MAX_AHEAD_MS = 4000

/**
 * Opens `count` more connections with the next one of `agent`, to the same place. Later requests take them, and save the
 * round trips of TCP and TLS.
 */
export function openAhead(agent: HttpAgent, count: number): void {
  const [open, destroy] = [agent.createConnection.bind(agent), agent.destroy.bind(agent)]
  let place: string | undefined
  const ahead: Duplex[] = []
  const closeAhead = () => {
    for (const connection of ahead.splice(0)) connection.destroy()
  }
  agent.createConnection = (options, callback) => {
    const wanted = agent.getName(options)
    if (place === undefined) {
      place = wanted
      for (let index = 0; index < count; index += 1) {
        const connection = open(options)
        // Nobody listens before a request takes it, and an error that nobody hears ends the process.
        connection?.on('error', () => {})
        if (connection) ahead.push(connection)
      }
      setTimeout(closeAhead, MAX_AHEAD_MS).unref()
    } else if (place === wanted) {
      for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
        // What a server says before it was asked is no answer to the request that comes.
        if (next.writable && next.readableLength === 0) return next
        next.destroy()
      }
    }
    return open(options, callback)
  }
  agent.destroy = () => {
    closeAhead()
    destroy()
  }
}

/** What an agent does for a request. Node has it for whoever writes an agent, and its types leave it out. */
interface Dispatcher {
  addRequest(request: ClientRequest, options: Target): void
}

interface Target {
  readonly host?: string | null
}

/**
 * Makes `agent` hand requests over to `other`: each host is told apart, since credentials are fetched elsewhere.
 * @param choose the options with which `other` takes a request, `undefined` if the request stays
 */
function divert(agent: HttpAgent, other: HttpAgent, choose: (target: Target) => object | undefined): void {
  const [here, there] = [agent, other] as unknown as [Dispatcher, Dispatcher]
  const [keep, destroy] = [here.addRequest.bind(agent), agent.destroy.bind(agent)]
  here.addRequest = (request, target) => {
    const extra = choose(target)
    if (extra === undefined) keep(request, target)
    else there.addRequest(request, { ...target, ...extra })
  }
  agent.destroy = () => {
    other.destroy()
    destroy()
  }
}

/** A proxy agent's own part of a connection: the way to the proxy. */
interface ProxyAgent extends HttpAgent {
  connectOpts: object
  connect(request: ClientRequest, options: never): Promise<Socket>
}

/** Gives up the way to a proxy that does not answer: the library waits for ever, and the process with it. */
function limitConnecting<Agent extends ProxyAgent>(agent: Agent): Agent {
  const { connectOpts } = agent
  const connect = agent.connect.bind(agent)
  agent.connect = async (request, options) => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), CONNECTION_TIMEOUT_MS)
    agent.connectOpts = { ...connectOpts, signal: late.signal }
    try {
      return await connect(request, options)
    } catch (error) {
      if (!late.signal.aborted) throw error
      // By this name the SDK knows what may pass.
      throw Object.assign(new Error('the proxy does not answer'), { name: 'TimeoutError' })
    } finally {
      clearTimeout(timer)
    }
  }
  return agent
}

/** Ends a request whose tunnel the proxy refuses: the proxy's answer must not be taken for the server's. */
function refuseTunnel({ statusCode }: { readonly statusCode: number }, request: ClientRequest): void {
  if (statusCode !== 200) request.destroy(refusedByProxy(statusCode, `The connection to ${request.host}`))
}

/** The failure of `what`, which a proxy answered with `status` before any server saw it. */
export function refusedByProxy(status: number, what: string): Failure {
  // 401 is what tinyproxy says to a wrong password; without one it says 407, as it should.
  if (status === 407 || status === 401) {
    return new ConfigFailure(`${what} failed: the proxy wants another user name and password (${status}).`, {
      code: 'bad_config',
      advice:
        'Set HTTPS_PROXY (HTTP_PROXY for an http:// endpoint) to http://user:password@host:port, with signs as % codes.',
    })
  }
  return new EndpointFailure(`${what} failed: the proxy does not let it through (${status}).`, {
    code: 'endpoint',
    advice: 'Have the host allowed on the proxy, or name it in NO_PROXY if it can be reached directly.',
  })
}

/**
 * What tells whether a host is reached without a proxy, by curl's rules: `*` for all, else host names that stand for
 * their sub-domains too, addresses, and networks such as `10.0.0.0/8`. https://curl.se/docs/manpage.html#--noproxy
 */
export function readNoProxy(noProxy: string): (host: string) => boolean {
  if (noProxy.trim() === '*') return () => true
  const names: string[] = []
  const networks = new BlockList()
  for (const entry of noProxy.toLowerCase().split(/[\s,]+/)) {
    const [address = '', bits] = entry.replace(/[[\]]/g, '').split('/')
    const version = isIP(address)
    if (version === 0) {
      const name = entry.replace(/^\.|\.$/g, '')
      if (name !== '') names.push(name)
      continue
    }
    const most = version === 4 ? 32 : 128
    const prefix = bits === undefined ? most : Number(bits)
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= most)
      networks.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  }
  return given => {
    const host = given.toLowerCase().replace(/[[\]]|\.$/g, '')
    const version = isIP(host)
    if (version !== 0) return networks.check(host, version === 4 ? 'ipv4' : 'ipv6')
    return names.some(name => host === name || host.endsWith(`.${name}`))
  }
}

/** The AWS default chain, whose clients for SSO would not take the proxy and the authorities of `client` by themselves. */
export function provideCredentials(client: Parameters<typeof defaultProvider>[0] & { requestHandler?: unknown }) {
  const { requestHandler } = client
  return defaultProvider({ ...client, ...(requestHandler === undefined ? {} : { clientConfig: { requestHandler } }) })
}
