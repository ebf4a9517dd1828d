/** The way out through a proxy, as curl reads it from the environment; real proxies are tried in test/servers/proxy. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer as createTlsServer } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startForwardProxy } from '../support/forward-proxy'
import { listen } from '../support/listen'
import { FAST_CLOCK, NO_CREDENTIALS, runProgram } from '../support/program'
import { startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'
import { makeCertificate } from '../support/tls'

const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n1\n', 'b.csv': 'b\n1\n', 'c.csv': 'c\n1\n' })
const OURS = makeCertificate('IP:127.0.0.1')
const TRUSTED = { AWS_CA_BUNDLE: OURS.path }

/** Hard to pass on, and told from everything else. */
const LOGIN = 'us3r:pa55@w:rd/%'
const WRITTEN_LOGIN = 'us3r:pa55%40w%3Ard%2F%25'

describe('a proxy with a password', { concurrency: 3 }, () => {
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
    test(`${name}: to a server with TLS every connection is a tunnel, and none is opened twice`, async () => {
      const [server, proxy] = [await startServer(OURS), await startForwardProxy({ login: LOGIN })]
      const address = `http://${WRITTEN_LOGIN}@127.0.0.1:${proxy.port}`
      const env = { ...server.env, ...TRUSTED, DATA_DIR, [name]: address, DEBUG: '*', CONCURRENCY: '2' }
      const { code, stdout, stderr } = await runProgram(env)
      assert.equal(code, 0, stderr)
      assert.equal((await server.keys()).length, 3)
      assert.equal(server.connections, proxy.passed.length)
      assert.ok(proxy.passed.length <= 2, proxy.passed.join())
      for (const passed of proxy.passed) assert.equal(passed, `CONNECT ${new URL(server.url).host}`)
      // The password is for the proxy alone, and for no screen.
      for (const { headers } of server.seen) assert.equal(headers['proxy-authorization'], undefined)
      assert.doesNotMatch(stdout + stderr, /pa55/)
      assert.ok(!(stdout + stderr).includes(Buffer.from(LOGIN).toString('base64')))
    })
  }

  for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) {
    test(`${name}: to a server without TLS every request is forwarded`, async () => {
      const [server, proxy] = [await startServer(), await startForwardProxy({ login: LOGIN })]
      const address = `${WRITTEN_LOGIN}@127.0.0.1:${proxy.port}`
      const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, [name]: address })
      assert.equal(code, 0, stderr)
      assert.equal((await server.keys()).length, 3)
      assert.deepEqual(
        proxy.passed.toSorted(),
        server.seen.map(({ method, url }) => `${method} ${server.url}${url}`).sort(),
      )
    })
  }

  test('one that is itself spoken to over TLS, whose authority AWS_CA_BUNDLE names', async () => {
    const [server, proxy] = [await startServer(OURS), await startForwardProxy({ login: LOGIN, tls: OURS })]
    const HTTPS_PROXY = `https://${WRITTEN_LOGIN}@127.0.0.1:${proxy.port}`
    const { code, stderr } = await runProgram({ ...server.env, ...TRUSTED, DATA_DIR, HTTPS_PROXY })
    assert.equal(code, 0, stderr)
    assert.equal(server.connections, proxy.passed.length)
  })

  for (const scheme of ['https', 'http'] as const) {
    for (const format of ['text', 'json']) {
      test(`a wrong one ends the run without a byte sent, and is not printed: ${scheme}, ${format}`, async () => {
        const server = await startServer(scheme === 'https' ? OURS : undefined)
        const proxy = await startForwardProxy({ login: LOGIN })
        const ALL_PROXY = `http://us3r:wr0ng@127.0.0.1:${proxy.port}`
        const env = { ...server.env, ...TRUSTED, ...FAST_CLOCK, DATA_DIR, ALL_PROXY, LOG_FORMAT: format, DEBUG: '*' }
        const { code, stdout, stderr } = await runProgram(env)
        assert.equal(code, 2)
        assert.match(stdout + stderr, /failed: the proxy wants another user name and password \(407\)/)
        assert.ok(proxy.refused > 0)
        assert.deepEqual([proxy.passed, server.seen], [[], []])
        assert.doesNotMatch(stdout + stderr, /wr0ng/)
      })
    }
  }
})

describe('a proxy that stands in the way', { concurrency: 3 }, () => {
  test('refuses the host: exit 6 says that it was the proxy, and not the bucket', async () => {
    const [server, proxy] = [await startServer(OURS), await startForwardProxy({ status: 403 })]
    const env = { ...server.env, ...TRUSTED, ...FAST_CLOCK, DATA_DIR }
    const { code, stderr } = await runProgram({ ...env, HTTPS_PROXY: `127.0.0.1:${proxy.port}` })
    assert.equal(code, 6)
    assert.match(
      stderr,
      /^Failed: The connection to 127\.0\.0\.1 failed: the proxy does not let it through \(403\)\. /m,
    )
  })

  test('accepts connections and says nothing: the run ends, and so does the process', async () => {
    const server = await startServer(OURS)
    let connections = 0
    const silent = createServer(() => {
      connections += 1
    })
    const HTTPS_PROXY = `127.0.0.1:${await listen(silent)}`
    const { code, stderr } = await runProgram({ ...server.env, ...TRUSTED, ...FAST_CLOCK, DATA_DIR, HTTPS_PROXY })
    assert.equal(code, 6)
    assert.match(stderr, /^Failed: Looking for the bucket test-lake failed: TimeoutError .*and the proxy between/m)
    assert.equal(connections, 7)
  })
})

describe('through a tunnel certificates are verified as they are without one', () => {
  const OTHER = makeCertificate('DNS:other.test')
  for (const [what, certificate, trusted, says] of [
    ['another host', OTHER, OTHER, /the certificate that answers there is for another host/],
    ['nobody known', OURS, OTHER, /SELF_SIGNED/],
  ] as const) {
    test(`one of ${what} is refused, and nothing is sent`, async () => {
      const [server, proxy] = [await startServer(certificate), await startForwardProxy()]
      const env = { ...server.env, ...FAST_CLOCK, DATA_DIR, AWS_CA_BUNDLE: trusted.path }
      const { code, stderr } = await runProgram({ ...env, HTTPS_PROXY: `127.0.0.1:${proxy.port}` })
      assert.equal(code, 6)
      assert.match(stderr, says)
      assert.ok(proxy.passed.length > 0)
      assert.deepEqual(server.seen, [])
    })
  }
})

test('NODE_USE_ENV_PROXY, by which newer Nodes read the same variables, changes nothing', async () => {
  const [server, proxy] = [await startServer(OURS), await startForwardProxy({ login: LOGIN })]
  const HTTPS_PROXY = `http://${WRITTEN_LOGIN}@127.0.0.1:${proxy.port}`
  const env = { ...server.env, ...TRUSTED, DATA_DIR, HTTPS_PROXY, NODE_USE_ENV_PROXY: '1' }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 0, stderr)
  assert.equal(server.connections, proxy.passed.length)
})

describe('NO_PROXY', () => {
  for (const noProxy of ['*', '127.0.0.1', 'localhost,127.0.0.0/8']) {
    test(`${noProxy}: the server is reached directly`, async () => {
      const [server, proxy] = [await startServer(OURS), await startForwardProxy()]
      const env = { ...server.env, ...TRUSTED, DATA_DIR, NO_PROXY: noProxy }
      const { code, stderr } = await runProgram({ ...env, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })
      assert.equal(code, 0, stderr)
      assert.deepEqual(proxy.passed, [])
    })
  }
  test('another host is reached through the proxy', async () => {
    const [server, proxy] = [await startServer(OURS), await startForwardProxy()]
    const env = { ...server.env, ...TRUSTED, DATA_DIR, no_proxy: 'localhost,.example.com,10.0.0.0/8' }
    const { code, stderr } = await runProgram({ ...env, https_proxy: `http://127.0.0.1:${proxy.port}` })
    assert.equal(code, 0, stderr)
    assert.equal(proxy.passed.length, server.connections)
  })
})

describe("the credentials' own requests", () => {
  const KEYS = { AccessKeyId: 'S3RVER', SecretAccessKey: 's3cret', SessionToken: 't0ken' }
  const EXPIRATION = Date.now() + 3_600_000

  /** STS and the portal of SSO, over TLS. */
  async function startSts(): Promise<{ readonly url: string; readonly asked: string[] }> {
    const asked: string[] = []
    const roleCredentials = {
      accessKeyId: KEYS.AccessKeyId,
      secretAccessKey: KEYS.SecretAccessKey,
      sessionToken: KEYS.SessionToken,
      expiration: EXPIRATION,
    }
    const fields = Object.entries({ ...KEYS, Expiration: new Date(EXPIRATION).toISOString() })
    const assumed = `<Credentials>${fields.map(([name, value]) => `<${name}>${value}</${name}>`).join('')}</Credentials>`
    const action = 'AssumeRoleWithWebIdentity'
    const xml = `<${action}Response><${action}Result>${assumed}</${action}Result></${action}Response>`
    const sts = createTlsServer(OURS, (request, response) => {
      asked.push(request.url ?? '')
      const isSso = request.url?.startsWith('/federation') === true
      request.resume().on('end', () => response.end(isSso ? JSON.stringify({ roleCredentials }) : xml))
    })
    return { url: `https://127.0.0.1:${await listen(sts)}`, asked }
  }

  test('web identity: STS is asked through the proxy, and its certificate is checked by AWS_CA_BUNDLE', async () => {
    const [server, proxy, sts] = [await startServer(OURS), await startForwardProxy(), await startSts()]
    const { code, stderr } = await runProgram({
      ...server.env,
      ...TRUSTED,
      ...NO_CREDENTIALS,
      DATA_DIR,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      AWS_ENDPOINT_URL_STS: sts.url,
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/uploader',
      AWS_WEB_IDENTITY_TOKEN_FILE: join(makeTempFolder({ token: 'x' }), 'token'),
    })
    assert.equal(code, 0, stderr)
    assert.equal(sts.asked.length, 1)
    assert.ok(proxy.passed.includes(`CONNECT ${new URL(sts.url).host}`), proxy.passed.join())
  })

  test('SSO: its portal is asked through the proxy, too', async () => {
    const [server, proxy, sso] = [await startServer(OURS), await startForwardProxy(), await startSts()]
    const startUrl = 'https://corp.awsapps.com/start'
    const profile = `[default]\nsso_start_url = ${startUrl}\nsso_account_id = 123456789012\nsso_role_name = uploader\nsso_region = eu-west-1\n`
    const token = { accessToken: 'x', expiresAt: new Date(EXPIRATION).toISOString(), startUrl, region: 'eu-west-1' }
    const HOME = makeTempFolder({
      '.aws/config': profile,
      // The name is the SHA-1 of the start URL, as the AWS CLI writes it.
      [`.aws/sso/cache/${createHash('sha1').update(startUrl).digest('hex')}.json`]: JSON.stringify(token),
    })
    const { code, stderr } = await runProgram({
      ...server.env,
      ...TRUSTED,
      ...NO_CREDENTIALS,
      HOME,
      DATA_DIR,
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      AWS_ENDPOINT_URL_SSO: sso.url,
    })
    assert.equal(code, 0, stderr)
    assert.equal(sso.asked.length, 1)
    assert.ok(proxy.passed.includes(`CONNECT ${new URL(sso.url).host}`), proxy.passed.join())
  })
})
