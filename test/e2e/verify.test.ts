/** What the server says it stored is compared with what was read; what differs is told in full, and left where it is. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, type Kind, kindOf } from '../support/faults'
import { runJson, type Told } from '../support/program'
import type { Answer } from '../support/proxy'
import { startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const KEY = 'raw/a.csv'
const OTHER_CRC32 = 'AAAAAA=='

/** The server's answers to one kind of request, changed. */
function change(server: TestServer, kind: Kind, make: (answer: Answer) => Answer, body = (sent: Buffer) => sent): void {
  server.breakWith = request =>
    kindOf(request) !== kind
      ? undefined
      : async exchange => {
          const answer = make(await ask(exchange, body))
          exchange.response.writeHead(answer.status, answer.headers).end(answer.body)
        }
}

const withHeaders =
  (headers: Answer['headers']) =>
  (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, ...headers } })

async function run(server: TestServer, content: string | Buffer): Promise<Told> {
  await server.createBucket()
  const DATA_DIR = makeTempFolder({ 'a.csv': content })
  const env = {
    ...server.env,
    DATA_DIR,
    KEY_LAYOUT: 'raw/{file}',
    CSV_CHECK: 'off',
    MANIFEST: 'true',
    RUN_DATE: '2024-10-21',
  }
  return await runJson(env)
}

function expectMismatch(server: TestServer, { code, file }: Told, says: RegExp): void {
  assert.equal(code, 1)
  assert.equal(file?.outcome, 'failed')
  assert.equal(file.key, KEY)
  assert.equal(file.error?.code, 'verify_mismatch')
  assert.match(file.error.message, says)
  assert.equal(server.seen.filter(({ url }) => url.includes('manifest')).length, 0)
}

describe('verify', { concurrency: 4 }, () => {
  test('PutObject, by its ETag: the failure names key, version and both MD5s, and the object stays', async () => {
    const server = await startServer()
    change(server, 'PutObject', withHeaders({ 'x-amz-version-id': 'v7' }), () => Buffer.from('b\n'))
    const md5s = /^raw\/a\.csv \(version v7\) is not what was sent: its MD5 is 3b\w{30} and should be 60\w{30}\.$/
    expectMismatch(server, await run(server, 'a\n'), md5s)
    assert.equal((await server.read(KEY)).body.toString(), 'b\n')
    assert.equal(server.seen.filter(({ method }) => method === 'DELETE').length, 0)
  })

  test('PutObject, by its checksum, whatever its ETag', async () => {
    const server = await startServer()
    change(server, 'PutObject', withHeaders({ 'x-amz-checksum-crc32': OTHER_CRC32 }))
    expectMismatch(server, await run(server, 'a\n'), /its CRC-32 is AAAAAA== and should be \w{6}==\.$/)
  })

  test('UploadPart: the upload is aborted, and what the key held stays', async () => {
    const server = await startServer()
    change(
      server,
      'UploadPart',
      answer => answer,
      sent => Buffer.from(sent).fill('~', 0, 1),
    )
    await server.createBucket()
    await server.write(KEY, Buffer.from('old\n'))
    server.createBucket = async () => {}
    const ended = await run(server, Buffer.alloc(8 * MIB + 1, 'a,b\n'))
    expectMismatch(
      server,
      ended,
      /^part \d of raw\/a\.csv is not what was sent: its MD5 is \w{32} and should be \w{32}\.$/,
    )
    assert.equal((await server.read(KEY)).body.toString(), 'old\n')
    assert.equal(server.seen.filter(({ method }) => method === 'DELETE').length, 1)
  })

  test('CompleteMultipartUpload, by the checksum of the whole, with the version', async () => {
    const server = await startServer()
    const xml = `<ChecksumCRC32>${OTHER_CRC32}</ChecksumCRC32></CompleteMultipartUploadResult>`
    change(server, 'CompleteMultipartUpload', answer => {
      const body = Buffer.from(answer.body.toString().replace('</CompleteMultipartUploadResult>', xml))
      const headers = { ...answer.headers, 'content-length': String(body.length), 'x-amz-version-id': 'v8' }
      return { ...answer, headers, body }
    })
    const says = /^raw\/a\.csv \(version v8\) is not what was sent: its CRC-32 is AAAAAA== and should be /
    expectMismatch(server, await run(server, Buffer.alloc(8 * MIB + 1, 'a,b\n')), says)
    assert.deepEqual(await server.keys(), [KEY])
  })

  test('an ETag of what KMS encrypts is no MD5, whatever it looks like: an answer with nothing to compare is followed by a HeadObject, and a run that proves nothing says so', async () => {
    const server = await startServer()
    const kms = { 'x-amz-server-side-encryption': 'aws:kms', etag: `"${'0'.repeat(32)}"` }
    change(server, 'PutObject', withHeaders(kms))
    const { code, file } = await run(server, 'a\n')
    assert.equal(code, 0)
    assert.equal(server.seen.filter(seen => kindOf(seen) === 'HeadObject').length, 1)
    assert.deepEqual(file?.warnings, ['not verifiable: the server gives no checksum of what it stored'])
  })

  test('one that carries a checksum is not', async () => {
    const server = await startServer()
    const { code, summary } = await run(server, 'a\n')
    assert.equal(code, 0)
    assert.equal(summary['manifest'], 'Raw/Local/CSV/_manifests/2024-10-21/manifest.json')
    assert.equal(server.seen.filter(seen => kindOf(seen) === 'HeadObject').length, 0)
  })
})
