/** What TLS changes: certificates are verified, and nothing switches that off; bodies need no signature of their own. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { runJson, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'
import { makeCertificate } from '../support/tls'

const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })

const OURS = makeCertificate('IP:127.0.0.1')

test('a certificate that nobody vouches for is refused before anything is sent: exit 6, and what to do', async () => {
  const server = await startServer(OURS)
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 6)
  assert.match(stderr, /SELF_SIGNED.*\. Set AWS_CA_BUNDLE to the file/)
  assert.deepEqual(server.seen, [])
})

const CONFIG = makeTempFolder({ config: `[profile lake]\nca_bundle = ${OURS.path}\n` })
for (const [what, trust] of [
  ['NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: OURS.path }],
  ['AWS_CA_BUNDLE', { AWS_CA_BUNDLE: OURS.path }],
  ["a profile's ca_bundle", { AWS_PROFILE: 'lake', AWS_CONFIG_FILE: join(CONFIG, 'config') }],
] as const) {
  test(`one that ${what} vouches for is good`, async () => {
    const server = await startServer(OURS)
    const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, ...trust })
    assert.equal(code, 0, stderr)
    assert.equal((await server.keys()).length, 1)
  })
}

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

const TWO = makeTempFolder({ 'large.csv': Buffer.alloc(9 * 1024 * 1024, 'a,b\n'), 'small.csv': 'a\n' })
const UNSIGNED = 'UNSIGNED-PAYLOAD'

const hashesOf = (seen: readonly SeenRequest[]) =>
  seen
    .filter(({ method, body }) => method === 'PUT' && body.length > 0 && !body.includes('<'))
    .map(({ headers, body }) => ({
      sent: headers['x-amz-content-sha256'],
      own: createHash('sha256').update(body).digest('hex'),
      crc32: headers['x-amz-checksum-crc32'],
      signed: /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';'),
    }))

test('over TLS a body is not signed, but its checksum is', async () => {
  const server = await startServer(OURS)
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR: TWO, NODE_EXTRA_CA_CERTS: OURS.path })
  assert.equal(code, 0, stderr)
  const hashes = hashesOf(server.seen)
  assert.equal(hashes.length, 3)
  for (const { sent, crc32, signed } of hashes) {
    assert.equal(sent, UNSIGNED)
    assert.ok(crc32 !== undefined)
    assert.ok(signed?.includes('x-amz-checksum-crc32') && signed.includes('x-amz-content-sha256'), `${signed}`)
  }
})

test('over plain HTTP every body is signed', async () => {
  const server = await startServer()
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR: TWO })
  assert.equal(code, 0, stderr)
  const hashes = hashesOf(server.seen)
  assert.equal(hashes.length, 3)
  for (const { sent, own } of hashes) assert.equal(sent, own)
})

for (const [status, reason] of [
  [403, 'AccessDenied'],
  [403, 'SignatureDoesNotMatch'],
  [400, 'XAmzContentSHA256Mismatch'],
] as const) {
  test(`where a bucket or a server refuses unsigned bodies with ${reason}, they are signed, and that is said once`, async () => {
    const server = await startServer(OURS)
    server.meddle = (seen, response) =>
      seen.headers['x-amz-content-sha256'] === UNSIGNED ? refuse(response, status, reason) : seen.body
    const env = { ...server.env, DATA_DIR: TWO, NODE_EXTRA_CA_CERTS: OURS.path, CONCURRENCY: '1' }
    const { code, stderr, files } = await runJson(env)
    assert.equal(code, 0, stderr)
    const warnings = files.flatMap(file => file.warnings)
    assert.deepEqual(
      warnings.filter(warning => warning.includes('unsigned')),
      [`the server refuses unsigned bodies (${reason}): the program signs them now`],
    )
    // The second part may be on its way when the refusal of the first one arrives.
    const signed = hashesOf(server.seen).filter(({ sent }) => sent !== UNSIGNED)
    assert.ok(hashesOf(server.seen).length - signed.length <= 2)
    assert.equal(signed.length, 3)
    for (const { sent, own } of signed) assert.equal(sent, own)
  })
}

test('a manifest is signed where that is wanted, also when no file had to be sent', async () => {
  const server = await startServer(OURS)
  const env = { ...server.env, DATA_DIR, NODE_EXTRA_CA_CERTS: OURS.path, RUN_DATE: '2024-10-21' }
  await runProgram(env)
  server.meddle = (seen, response) =>
    seen.headers['x-amz-content-sha256'] === UNSIGNED ? refuse(response, 403, 'AccessDenied') : seen.body
  const { code, stdout, stderr } = await runProgram({ ...env, MANIFEST: 'true' })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /0 uploaded, 1 unchanged/)
  assert.ok((await server.keys()).includes('Raw/Local/CSV/_manifests/2024-10-21/manifest.json'))
})

test('a key that may not write is told so, and nothing of bodies', async () => {
  const server = await startServer(OURS)
  server.meddle = (seen, response) =>
    seen.method === 'PUT' && seen.url.includes('.csv') ? refuse(response, 403, 'AccessDenied') : seen.body
  const env = { ...server.env, DATA_DIR, NODE_EXTRA_CA_CERTS: OURS.path }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 4)
  assert.match(stderr, /AccessDenied/)
  assert.doesNotMatch(stderr, /unsigned/)
})
