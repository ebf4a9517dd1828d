/** What the program takes from `.env`, from files and from profiles, on the real process. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { version } from '../../package.json'
import { SETTINGS } from '../../src/config/settings'
import { listen } from '../support/listen'
import { CREDENTIALS, NO_CREDENTIALS, runProgram } from '../support/program'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'
import { makeCertificate } from '../support/tls'

const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = CREDENTIALS

describe('.env', () => {
  const text = (endpoint: string) => `# Données\nBUCKET_NAME=test-lake\r\nAWS_ENDPOINT_URL=${endpoint}\r\n`
  for (const [encoding, encode] of [
    ['UTF-16 as PowerShell writes it', (plain: string) => Buffer.from(`\uFEFF${plain}`, 'utf16le')],
    ['UTF-16 without its mark', (plain: string) => Buffer.from(plain, 'utf16le')],
    ['big-endian UTF-16', (plain: string) => Buffer.from(`\uFEFF${plain}`, 'utf16le').swap16()],
    ['UTF-8 with a mark', (plain: string) => Buffer.from(`\uFEFF${plain}`)],
    ['UTF-8', (plain: string) => Buffer.from(plain)],
  ] as const) {
    test(`is read in ${encoding}`, async () => {
      const server = await startServer()
      const cwd = makeTempFolder({ '.env': encode(text(server.url)) })
      const { code, stderr } = await runProgram({ DATA_DIR }, { cwd })
      assert.equal(code, 0, stderr)
      assert.equal((await server.keys()).length, 1)
    })
  }
  for (const format of ['text', 'json']) {
    test(`a name that was misspelt in it is warned of: ${format}`, async () => {
      const server = await startServer()
      const cwd = makeTempFolder({ '.env': 'STORAGE_LAYR=Bronze\n' })
      const { code, stdout, stderr } = await runProgram({ ...server.env, DATA_DIR, LOG_FORMAT: format }, { cwd })
      assert.equal(code, 0, stderr)
      assert.match(stdout + stderr, /\.env sets STORAGE_LAYR, which nothing reads: STORAGE_LAYER was probably meant/)
    })
  }
})

describe('secrets in files', () => {
  test('sign the requests, and are not printed', async () => {
    const server = await startServer()
    const folder = makeTempFolder({ id: `${AWS_ACCESS_KEY_ID}\n`, secret: `${AWS_SECRET_ACCESS_KEY}\n` })
    const files = {
      AWS_ACCESS_KEY_ID_FILE: join(folder, 'id'),
      AWS_SECRET_ACCESS_KEY_FILE: join(folder, 'secret'),
    }
    const env = { ...server.env, ...NO_CREDENTIALS, ...files, DATA_DIR, DEBUG: '*' }
    const { code, stdout, stderr } = await runProgram(env)
    assert.equal(code, 0, stderr)
    assert.ok(!(stdout + stderr).includes(AWS_SECRET_ACCESS_KEY))
    for (const { headers } of server.seen) assert.match(headers.authorization ?? '', /Credential=S3RVER\//)
  })
})

describe('a profile', () => {
  const ours = makeCertificate('IP:127.0.0.1')

  async function runWithProfile(text: (url: string) => string, env: Record<string, string> = {}) {
    const server = await startServer(ours)
    // What is done without on a server that is not AWS is done without on that of a profile, too.
    server.meddle = (seen, response) =>
      seen.headers['x-amz-checksum-crc32'] === undefined ? seen.body : refuse(response, 501, 'NotImplemented')
    const AWS_CONFIG_FILE = join(makeTempFolder({ config: text(server.url) }), 'config')
    const cwd = makeTempFolder({ '.env': `AWS_CONFIG_FILE=${AWS_CONFIG_FILE}\n` })
    const run = { BUCKET_NAME: 'test-lake', DATA_DIR, ...env }
    return { server, ...(await runProgram(run, { cwd })) }
  }

  for (const [what, text] of [
    [
      'endpoint, region and authority',
      (url: string) => `[default]\nregion = eu-west-1\nendpoint_url = ${url}\nca_bundle = ${ours.path}\n`,
    ],
    [
      'a services section for S3, stronger than its own endpoint',
      (url: string) =>
        `[default]\nregion = eu-west-1\nservices = lake\nendpoint_url = http://127.0.0.1:1\nca_bundle = ${ours.path}\n[services lake]\ns3 =\n  endpoint_url = ${url}\n`,
    ],
  ] as const) {
    test(`gives ${what}: the same server, by paths, as from variables`, async () => {
      const { server, code, stderr } = await runWithProfile(text)
      assert.equal(code, 0, stderr)
      assert.equal((await server.keys()).length, 1)
      for (const { url, headers } of server.seen) {
        assert.match(url, /^\/test-lake/)
        assert.match(headers.authorization ?? '', /\/eu-west-1\/s3\//)
      }
    })
  }
  test('is taken by the name in AWS_PROFILE', async () => {
    const text = (url: string) =>
      `[default]\nendpoint_url = http://127.0.0.1:1\n[profile lake]\nendpoint_url = ${url}\nca_bundle = ${ours.path}\n`
    const { code, stderr } = await runWithProfile(text, { AWS_PROFILE: 'lake' })
    assert.equal(code, 0, stderr)
  })
})

test('--help names every setting and --version the version, without a readable .env and a sound profile', async () => {
  const cwd = makeTempFolder({ '.env/folder.txt': '', config: '[default]\nservices = none\n' })
  const ask = (argument: string) => runProgram({ AWS_CONFIG_FILE: join(cwd, 'config') }, { cwd, args: [argument] })
  const { code, stdout, stderr } = await ask('--help')
  assert.equal(code, 0, stderr)
  for (const { name } of SETTINGS) assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
  assert.deepEqual(await ask('--version'), { code: 0, stdout: `${version}\n`, stderr: '' })
})

test('with static keys and no region nothing asks the instance metadata service', async () => {
  const asked: string[] = []
  const metadata = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(404).end()
  })
  const server = await startServer()
  const { code, stderr } = await runProgram({
    ...server.env,
    DATA_DIR,
    AWS_EC2_METADATA_DISABLED: undefined,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${await listen(metadata)}`,
  })
  assert.equal(code, 0, stderr)
  assert.deepEqual(asked, [])
  for (const { headers } of server.seen) assert.match(headers.authorization ?? '', /\/us-east-1\/s3\//)
})

describe('an access point', () => {
  test('that is not there is not created', async () => {
    const server = await startServer()
    const { code, stderr } = await runProgram({ ...server.env, BUCKET_NAME: 'lake-1a2b-s3alias', DATA_DIR })
    assert.equal(code, 4, stderr)
    assert.deepEqual(
      server.seen.filter(({ method }) => method === 'PUT'),
      [],
    )
  })

  test('is written to by its ARN, in the region of the ARN', async () => {
    const written: { url: string; authorization: string }[] = []
    // As a proxy it is asked by whole addresses, which show the host that the ARN became.
    const access = createServer((request, response) => {
      const { method = '', url = '', headers } = request
      if (method === 'PUT') written.push({ url, authorization: headers.authorization ?? '' })
      request.resume().on('end', () => response.writeHead(200, { etag: '"0cc175b9c0f1b6a831c399e269772661"' }).end())
    })
    await runProgram({
      AWS_ENDPOINT_URL: 'http://s3.example.test',
      AWS_REGION: 'us-east-2',
      HTTP_PROXY: `127.0.0.1:${await listen(access)}`,
      BUCKET_NAME: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/lake',
      RUN_DATE: '2024-10-21',
      DATA_DIR,
    })
    const [{ url = '', authorization = '' } = {}] = written
    assert.equal(new URL(url).host, 'lake-123456789012.s3.example.test')
    assert.equal(new URL(url).pathname, '/Raw/Local/CSV/A/2024/10/21/a.csv')
    assert.match(authorization, /\/eu-west-1\/s3\//)
  })
})
