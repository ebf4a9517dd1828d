/** Uploads through real proxies, with and without a password; what each of them says of itself is the proof. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { FAST_CLOCK, runProgram } from '../../support/program'
import { startServer } from '../../support/s3-server'
import { makeTempFolder } from '../../support/temp-folder'
import { makeCertificate } from '../../support/tls'

const DATA_DIR = makeTempFolder({ 'small.csv': 'a\n1\n', 'large.csv': Buffer.alloc(20 * 1024 * 1024, 'a,b\n') })
const OURS = makeCertificate('IP:127.0.0.1')
const USER = 'lake'
const PASSWORD = 'Pa55word'

interface RealProxy {
  readonly port: number
  /** What it has said of its requests so far. */
  log(): string
}

/** Writes the configuration, and says how the proxy is started, what it says when it is ready, and where it logs. */
type Start = (
  folder: string,
  port: number,
  isLocked: boolean,
) => {
  readonly args: string[]
  readonly ready: RegExp
  /** A file with its requests, if it does not write them to stdout. */
  readonly log?: string
}

const PROXIES: Readonly<Record<string, Start>> = {
  tinyproxy: (folder, port, isLocked) => {
    const path = join(folder, 'tinyproxy.conf')
    const login = isLocked ? [`BasicAuth ${USER} ${PASSWORD}`] : []
    const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Allow 127.0.0.1', 'LogLevel Info', ...login]
    writeFileSync(path, `${lines.join('\n')}\n`)
    return { args: ['-d', '-c', path], ready: /Accepting connections/ }
  },
  squid: (folder, port, isLocked) => {
    const [path, users] = [join(folder, 'squid.conf'), join(folder, 'users')]
    const hash = execFileSync('openssl', ['passwd', '-apr1', PASSWORD], { encoding: 'utf8' }).trim()
    writeFileSync(users, `${USER}:${hash}\n`)
    const login = [
      `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}`,
      'acl users proxy_auth REQUIRED',
      'http_access allow users',
    ]
    const lines = [
      `http_port 127.0.0.1:${port}`,
      ...(isLocked ? login : ['http_access allow all']),
      `access_log stdio:${folder}/access.log`,
      `cache_log ${folder}/cache.log`,
      `pid_filename ${folder}/pid`,
      'cache deny all',
      'shutdown_lifetime 0 seconds',
    ]
    writeFileSync(path, `${lines.join('\n')}\n`)
    return {
      args: ['-N', '-d', '1', '-f', path],
      ready: /Accepting HTTP Socket connections/,
      log: join(folder, 'access.log'),
    }
  },
}

async function startProxy(name: string, isLocked: boolean): Promise<RealProxy> {
  const start = PROXIES[name]
  assert.ok(start !== undefined)
  const folder = makeTempFolder()
  // Squid gives up root.
  chmodSync(folder, 0o777)
  const port = await findPort()
  const { args, ready, log: file } = start(folder, port, isLocked)
  const child: ChildProcess = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', code => reject(new Error(`${name} ended with ${code}: ${log}`)))
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        log += chunk
        if (ready.test(log)) resolve()
      })
    }
  })
  return { port, log: () => (file === undefined ? log : readFileSync(file, 'utf8')) }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

for (const name of Object.keys(PROXIES)) {
  describe(name, () => {
    for (const isLocked of [false, true]) {
      const login = isLocked ? `${USER}:${PASSWORD}@` : ''
      const how = isLocked ? 'with a password' : 'without a password'
      for (const scheme of ['https', 'http'] as const) {
        test(`${how}, to a server at ${scheme}://: all files land through it, and a second run finds them`, async () => {
          const [server, proxy] = [
            await startServer(scheme === 'https' ? OURS : undefined),
            await startProxy(name, isLocked),
          ]
          const variable = scheme === 'https' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
          const env = { ...server.env, AWS_CA_BUNDLE: OURS.path, DATA_DIR, DEBUG: '*' }
          for (const outcome of ['2 uploaded', '2 unchanged']) {
            const ended = await runProgram({ ...env, [variable]: `http://${login}127.0.0.1:${proxy.port}` })
            assert.equal(ended.code, 0, ended.stderr)
            assert.ok(ended.stdout.includes(outcome), ended.stdout)
            assert.ok(!(ended.stdout + ended.stderr).includes(PASSWORD))
          }
          const host = new URL(server.url).host
          assert.ok(proxy.log().includes(scheme === 'https' ? `CONNECT ${host}` : `PUT http://${host}/`), proxy.log())
        })
      }
    }

    for (const scheme of ['https', 'http'] as const) {
      // To a wrong password tinyproxy answers 401, as a server may: only in a tunnel it is known to be the proxy's.
      const isTold = name === 'squid' || scheme === 'https'
      test(`a wrong password ends the run, and the server sees nothing: ${scheme}://`, async () => {
        const [server, proxy] = [await startServer(scheme === 'https' ? OURS : undefined), await startProxy(name, true)]
        const ALL_PROXY = `http://${USER}:wr0ng@127.0.0.1:${proxy.port}`
        const env = { ...server.env, ...FAST_CLOCK, AWS_CA_BUNDLE: OURS.path, DATA_DIR, ALL_PROXY }
        const { code, stdout, stderr } = await runProgram(env)
        assert.notEqual(code, 0)
        if (isTold) {
          assert.equal(code, 2)
          assert.match(stderr, /the proxy wants another user name and password \(40[17]\)\. Set HTTPS_PROXY/)
        }
        assert.doesNotMatch(stdout + stderr, /wr0ng/)
        assert.deepEqual(server.seen, [])
      })
    }
  })
}
