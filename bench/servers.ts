/** The sink and the proxy that makes it far: each a process of its own that says what it saw and what it cost. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const DIST = join(__dirname, '..', 'dist')

/** What the sink saw since it was asked last. */
export interface Seen {
  readonly connections: number
  readonly bytes: number
  /** Requests by what they asked for, such as `PUT object` or `HEAD bucket`. */
  readonly requests: Readonly<Record<string, number>>
  /** Requests with `Expect: 100-continue`, and with a body in `aws-chunked`: each way costs more than it should. */
  readonly expectations: number
  readonly chunked: number
  /** Seconds of the sink's own CPU. */
  readonly cpu: number
}

interface Server<Report> {
  readonly port: number
  /** `forget` empties the bucket. Both words are answered with what was seen since the last one. */
  ask(word: 'forget' | 'report'): Promise<Report>
  stop(): void
}

async function start<Report>(command: string, args: readonly string[]): Promise<Server<Report>> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface(child.stdout)
  const next = async () => JSON.parse((await once(lines, 'line'))[0])
  const { port } = await next()
  return {
    port,
    ask(word) {
      child.stdin.write(`${word}\n`)
      return next()
    },
    stop: () => child.stdin.end(),
  }
}

/** Starts the sink of sink.c, or that of sink.ts if this machine cannot compile the first. */
export async function startSink(folder: string) {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ],
    { stdio: 'ignore' },
  )
  const binary = join(folder, 'sink')
  const isCompiled = compile(binary)
  const server = isCompiled
    ? await start<Seen>(binary, [key, certificate])
    : await start<Seen>(process.execPath, [join(DIST, 'sink.js'), key, certificate])
  return { ...server, certificate, kind: isCompiled ? 'C' : 'Node (no C compiler with the headers of OpenSSL here)' }
}

function compile(binary: string): boolean {
  try {
    const libraries = ['-lssl', '-lcrypto', '-lpthread']
    execFileSync('cc', ['-O2', '-o', binary, join(__dirname, 'sink.c'), ...libraries], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Starts a proxy to a port of this machine. */
export function startProxy(port: number, roundTripMs: number, bytesPerSecond: number) {
  const args = [port, roundTripMs, bytesPerSecond].map(String)
  return start<{ readonly cpu: number }>(process.execPath, [join(DIST, 'proxy.js'), ...args])
}
