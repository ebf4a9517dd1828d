/** Something between the program and the server that changes what is stored, and servers that do not take checksums. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { utimesSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { PutObjectCommand, S3ServiceException, UploadPartCommand } from '@aws-sdk/client-s3'
import { editUnseen, TIME } from '../../support/edit-unseen'
import { runJson, runProgram } from '../../support/program'
import type { SeenRequest } from '../../support/proxy'
import { IS_CURRENT_CEPH, type RealServer, startRealServer } from '../../support/real-server'
import { refuse } from '../../support/s3-server'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024

const isBody = ({ method, url }: SeenRequest) => method === 'PUT' && url.includes('.csv')
const checksumOf = ({ headers }: SeenRequest) => headers['x-amz-checksum-crc32']?.toString()
const isListOrHead = ({ method }: SeenRequest) => method === 'GET' || method === 'HEAD'

function damage(body: Buffer): Buffer {
  const damaged = Buffer.from(body)
  damaged[0] = (damaged[0] ?? 0) ^ 1
  return damaged
}

/** What of its checksums a gateway passes on: those that came with the body, and those of the answer. */
interface Passes {
  readonly sent?: boolean
  readonly answered?: boolean
}

/** What a gateway does that signs anew: stores the body, damaged, by a request of its own, and passes the answer on. */
async function storeDamaged(
  server: RealServer,
  seen: SeenRequest,
  response: ServerResponse,
  { sent = false, answered = true }: Passes = {},
) {
  const { pathname, searchParams } = new URL(seen.url, server.url)
  const [, Bucket = '', ...path] = decodeURIComponent(pathname).split('/')
  const PartNumber = Number(searchParams.get('partNumber'))
  // Ceph looks at the value only where the algorithm came with it.
  const ChecksumAlgorithm = seen.headers['x-amz-sdk-checksum-algorithm'] === 'CRC32' ? ('CRC32' as const) : undefined
  const checksums = sent ? { ChecksumAlgorithm, ChecksumCRC32: checksumOf(seen) } : {}
  const input = { Bucket, Key: path.join('/'), Body: damage(seen.body), ...checksums }
  try {
    const answer = await (PartNumber === 0
      ? server.client.send(new PutObjectCommand(input))
      : server.client.send(
          new UploadPartCommand({ ...input, PartNumber, UploadId: searchParams.get('uploadId') ?? '' }),
        ))
    const { ChecksumCRC32: crc } = answer
    const checksum = crc === undefined || !answered ? {} : { 'x-amz-checksum-crc32': crc }
    response.writeHead(200, { etag: answer.ETag, ...checksum }).end()
  } catch (error) {
    assert.ok(error instanceof S3ServiceException)
    refuse(response, error.$metadata.httpStatusCode ?? 500, error.name)
  }
  return undefined
}

const SIZES = [
  ['small', 100],
  ['large', 17 * MIB],
] as const

for (const [what, size] of SIZES) {
  test(`a ${what} body that was changed on its way is refused: the signature covers it`, async () => {
    const server = await startRealServer()
    server.meddle = seen => (isBody(seen) && seen.body.length > 0 ? damage(seen.body) : seen.body)
    const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': randomBytes(size) }), MANIFEST: 'true' }
    const { code, stdout, file } = await runJson(env)
    assert.equal(code, 1, stdout)
    assert.equal(file?.error?.code, 'refused_by_server')
    assert.match(file?.error?.message ?? '', /XAmzContentSHA256Mismatch|BadDigest/)
    assert.deepEqual(await server.keys(), [])
    assert.deepEqual(await server.uploads(), [])
  })

  test(`what is stored of a ${what} file is not what was read: verify_mismatch, nothing deleted, no manifest`, async () => {
    const server = await startRealServer()
    await server.createBucket()
    const { BUCKET_NAME: Bucket } = server.env
    await server.client.send(new PutObjectCommand({ Bucket, Key: 'raw/earlier.csv', Body: 'earlier' }))
    server.meddle = async (seen, response) =>
      isBody(seen) && seen.body.length > 0 ? await storeDamaged(server, seen, response) : seen.body
    const content = randomBytes(size)
    const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }) }
    const { code, stdout, file } = await runJson({ ...env, MANIFEST: 'true' })
    assert.equal(code, 1, stdout)
    assert.equal(file?.outcome, 'failed')
    assert.equal(file?.error?.code, 'verify_mismatch')
    assert.match(
      file?.error?.message ?? '',
      IS_CURRENT_CEPH ? /its CRC-32 is \S{8} and should be / : /its MD5 is [0-9a-f]{32} /,
    )
    // A damaged object stays to be looked at; a damaged part is none, and goes with its upload.
    assert.deepEqual(await server.keys(), what === 'small' ? ['raw/a.csv', 'raw/earlier.csv'] : ['raw/earlier.csv'])
    assert.deepEqual(await server.uploads(), [])
    assert.ok(!server.seen.some(({ method, url }) => method === 'DELETE' && !url.includes('uploadId=')))

    server.meddle = seen => seen.body
    assert.equal((await runProgram(env)).code, 0)
    assert.ok((await server.read('raw/a.csv')).equals(content))
  })

  test(`a ${what} body that does not have the checksum it came with is not stored by a server that looks`, async () => {
    const server = await startRealServer()
    server.meddle = async (seen, response) =>
      isBody(seen) && seen.body.length > 0 ? await storeDamaged(server, seen, response, { sent: true }) : seen.body
    const DATA_DIR = makeTempFolder({ 'a.csv': randomBytes(size) })
    const { code, stdout, file } = await runJson({ ...server.env, DATA_DIR })
    assert.equal(code, 1, stdout)
    assert.equal(file?.error?.code, IS_CURRENT_CEPH ? 'refused_by_server' : 'verify_mismatch')
    if (IS_CURRENT_CEPH) assert.match(file?.error?.message ?? '', /BadDigest/)
    assert.equal((await server.keys()).length, IS_CURRENT_CEPH || what === 'large' ? 0 : 1)
  })

  test(`a ${what} file, checksums refused: said once, and its MD5 and its signature cover what is sent`, async () => {
    const server = await startRealServer()
    server.meddle = (seen, response) =>
      isBody(seen) && checksumOf(seen) !== undefined ? refuse(response, 501, 'NotImplemented') : seen.body
    const contents = [randomBytes(size), randomBytes(size)] as const
    const DATA_DIR = makeTempFolder({ 'a.csv': contents[0], 'b.csv': contents[1] })
    const env = { ...server.env, DATA_DIR, CONCURRENCY: '1' }
    const { code, stdout, files } = await runJson(env)
    assert.equal(code, 0, stdout)
    const said = files.flatMap(({ warnings }) => warnings)
    assert.deepEqual(said, [
      'the server refuses checksums (NotImplemented): the program compares its MD5 ETags instead',
    ])
    for (const seen of server.seen.filter(seen => isBody(seen) && checksumOf(seen) === undefined)) {
      assert.equal(seen.headers['x-amz-content-sha256'], createHash('sha256').update(seen.body).digest('hex'))
    }
    assert.ok((await server.read('raw/a.csv')).equals(contents[0]))
    assert.ok((await server.read('raw/b.csv')).equals(contents[1]))
    assert.deepEqual(await server.uploads(), [])

    // No checksum either way: what is stored is known by its ETag alone.
    server.meddle = async (seen, response) => {
      if (!isBody(seen) || seen.body.length === 0) return seen.body
      if (checksumOf(seen) !== undefined) return refuse(response, 501, 'NotImplemented')
      return await storeDamaged(server, seen, response, { answered: false })
    }
    const other = makeTempFolder({ 'a.csv': randomBytes(size) })
    const damaged = await runJson({ ...env, DATA_DIR: other })
    assert.equal(damaged.code, 1, damaged.stdout)
    assert.equal(damaged.file?.error?.code, 'verify_mismatch')
    assert.match(damaged.file.error.message, /its MD5 is [0-9a-f]{32} /)
  })
}

test('a file whose key holds something else at the end of its upload is not reported as landed', async () => {
  const server = await startRealServer()
  server.breakWith = ({ method, url }) => {
    if (method !== 'POST' || !url.includes('uploadId=')) return undefined
    return async ({ receive, response }) => {
      await receive()
      const other = '<ETag>"0"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>'
      const xml = `<CompleteMultipartUploadResult>${other}</CompleteMultipartUploadResult>`
      response.writeHead(200, { 'content-type': 'application/xml' }).end(xml)
    }
  }
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': randomBytes(9 * MIB) }), MANIFEST: 'true' }
  const { code, summary, file } = await runJson(env)
  assert.equal(code, 1)
  assert.equal(file?.error?.code, 'verify_mismatch')
  assert.equal(summary['manifest'], undefined)
  assert.ok(!server.seen.some(seen => !isListOrHead(seen) && seen.url.includes('manifest')))
})

test('a part that was edited in place, with its old time, after it was read: nothing lands', async () => {
  const server = await startRealServer()
  const DATA_DIR = makeTempFolder({ 'a.csv': randomBytes(17 * MIB) })
  const path = join(DATA_DIR, 'a.csv')
  utimesSync(path, TIME, TIME)
  server.meddle = seen => {
    if (seen.url.includes('partNumber=1&')) editUnseen(path, 0, '~~~~')
    return seen.body
  }
  const env = { ...server.env, DATA_DIR, CONCURRENCY: '1' }
  const { code, stdout, file } = await runJson(env)
  assert.equal(code, 1, stdout)
  assert.equal(file?.error?.code, 'changed_while_reading')
  assert.deepEqual(await server.keys(), [])
  assert.deepEqual(await server.uploads(), [])
})
