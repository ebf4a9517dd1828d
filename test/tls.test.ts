/** Whom the program talks to: certificates are verified, and nothing switches that off. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProgram } from './support/program'
import { startServer } from './support/s3-server'
import { makeTempFolder } from './support/temp-folder'

const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })

/** A key and a certificate that it signed itself, for `host`. */
function makeCertificate(host: string): { readonly key: string; readonly cert: string; readonly path: string } {
  const folder = makeTempFolder()
  const [key, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=lake', '-addext', `subjectAltName=${host}`]
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', [...options, '-keyout', key, '-out', path, ...subject], { stdio: 'pipe' })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(path, 'utf8'), path }
}

const OURS = makeCertificate('IP:127.0.0.1')

test('a certificate that nobody vouches for is refused before anything is sent: exit 6, and what to do', async () => {
  const server = await startServer(OURS)
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 6)
  assert.match(stderr, /SELF_SIGNED.*\. Set NODE_EXTRA_CA_CERTS in the environment/)
  assert.deepEqual(server.seen, [])
})

test('one that NODE_EXTRA_CA_CERTS vouches for is good', async () => {
  const server = await startServer(OURS)
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, NODE_EXTRA_CA_CERTS: OURS.path })
  assert.equal(code, 0, stderr)
  assert.equal((await server.keys()).length, 1)
})

test('one for another host is refused, though it is vouched for', async () => {
  const other = makeCertificate('DNS:other.test')
  const server = await startServer(other)
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, NODE_EXTRA_CA_CERTS: other.path })
  assert.equal(code, 6)
  assert.match(stderr, /Check the endpoint: the certificate that answers there is for another host/)
  assert.deepEqual(server.seen, [])
})

for (const where of ['the environment', '.env']) {
  test(`NODE_TLS_REJECT_UNAUTHORIZED=0 in ${where} changes nothing`, async () => {
    const server = await startServer(OURS)
    const isEnvironment = where === 'the environment'
    const off = 'NODE_TLS_REJECT_UNAUTHORIZED'
    const cwd = makeTempFolder(isEnvironment ? {} : { '.env': `${off}=0\n` })
    const env = { ...server.env, DATA_DIR, ...(isEnvironment ? { [off]: '0' } : {}) }
    const { code } = await runProgram(env, { cwd })
    assert.equal(code, 6)
    assert.deepEqual(server.seen, [])
  })
}
