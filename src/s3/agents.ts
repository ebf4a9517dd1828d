/** The way to the server: through a proxy or directly, and whose certificates are trusted. */
import { type ClientRequest, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { BlockList, isIP } from 'node:net'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { defaultProvider } from '@aws-sdk/credential-provider-node'

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

/** What a request asks of its agent: Node documents agents, but not this method of theirs. */
interface Dispatcher {
  addRequest(request: ClientRequest, options: { readonly host?: string | null }): void
}

/**
 * The agents of a client.
 * @param maxSockets connections to one host at most
 */
export async function createAgents(network: Network, maxSockets: number): Promise<Agents> {
  const { httpProxy, httpsProxy, authorities } = network
  const pool = { keepAlive: true, maxSockets }
  // Made once: it takes 150 certificates, and a connection that is given them makes one of its own.
  const secureContext =
    authorities === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, authorities] })
  const tls = secureContext === undefined ? {} : { secureContext }
  const direct = { httpAgent: new HttpAgent(pool), httpsAgent: new HttpsAgent({ ...pool, ...tls }) }
  const isDirect = readNoProxy(network.noProxy)
  return {
    httpAgent: httpProxy === undefined ? direct.httpAgent : await proxyHttp(httpProxy),
    httpsAgent: httpsProxy === undefined ? direct.httpsAgent : await proxyHttps(httpsProxy),
  }

  async function proxyHttp(proxy: string): Promise<HttpAgent> {
    const { HttpProxyAgent } = await import('http-proxy-agent')
    const proxied = new HttpProxyAgent(proxy, { ...pool, ...tls })
    return route(new HttpAgent(), direct.httpAgent, proxied, { secureEndpoint: false })
  }

  async function proxyHttps(proxy: string): Promise<HttpsAgent> {
    const { HttpsProxyAgent } = await import('https-proxy-agent')
    const proxied = new HttpsProxyAgent(proxy, { ...pool, ...tls })
    // The agent behind the proxy speaks TLS to the server, with these authorities too.
    return route(new HttpsAgent(), direct.httpsAgent, proxied, { secureEndpoint: true, ...tls })
  }

  /** Makes `agent` hand each request to `near` or to `far`: hosts differ, since credentials are fetched elsewhere. */
  function route<Kind extends HttpAgent>(
    agent: Kind,
    near: HttpAgent,
    far: HttpAgent,
    extra: { readonly secureEndpoint: boolean; readonly secureContext?: SecureContext },
  ): Kind {
    const dispatch: Dispatcher['addRequest'] = (request, options) => {
      const isNear = isDirect(options.host ?? '')
      ;((isNear ? near : far) as unknown as Dispatcher).addRequest(request, isNear ? options : { ...options, ...extra })
    }
    const destroy = () => {
      near.destroy()
      far.destroy()
    }
    return Object.assign(agent, { addRequest: dispatch, destroy })
  }
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
