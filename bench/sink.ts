/**
 * Stands in for sink.c on a machine without a C compiler or the headers of OpenSSL: both behave the same. This one runs
 * on one core and costs up to three times the CPU. The bench warns if the sink's speed is what it measures.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { answerLines, createCpuMeter } from './lines'

interface StoredObject {
  readonly size: number
  readonly etag: string
  /** Checksum and metadata headers, as they were sent. */
  readonly headers: Readonly<Record<string, string>>
}

const HASHED_BODY_BYTES = 1024 * 1024
const PAGE_KEYS = 1000

const objects = new Map<string, StoredObject>()
const uploads = new Map<string, { headers: Record<string, string>; sizes: Map<number, number> }>()
const measureCpu = createCpuMeter()
let seen = seeNothing()
let uploadsBegun = 0

function seeNothing() {
  return { connections: 0, bytes: 0, requests: {} as Record<string, number>, expectations: 0, chunked: 0 }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', headers } = request
  const url = new URL(request.url ?? '', 'https://sink')
  const query = url.searchParams
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(url.pathname) ?? []
  const body = await discard(request)
  const what = [
    method,
    key === '' ? 'bucket' : 'object',
    ...['uploads', 'uploadId', 'partNumber'].filter(name => query.has(name)),
  ].join(' ')
  seen.requests[what] = (seen.requests[what] ?? 0) + 1
  if (headers.expect !== undefined) seen.expectations += 1
  if (headers['content-encoding']?.includes('aws-chunked')) seen.chunked += 1

  const xml = (text: string) => response.writeHead(200, { 'content-type': 'application/xml' }).end(text)
  if (key === '') {
    if (method === 'GET' && query.has('uploads'))
      return void xml('<ListMultipartUploadsResult></ListMultipartUploadsResult>')
    if (method === 'GET' && query.has('location')) return void xml('<LocationConstraint></LocationConstraint>')
    if (method === 'GET') return void xml(list(bucket, query))
    return void response.writeHead(200, { 'x-amz-bucket-region': 'us-east-1', 'content-length': 0 }).end()
  }
  const path = `${bucket}/${decodeURIComponent(key)}`
  const upload = uploads.get(query.get('uploadId') ?? '')
  if (method === 'HEAD' || method === 'GET') {
    const object = objects.get(path)
    if (object === undefined) return void response.writeHead(404, { 'content-length': 0 }).end()
    const { size, etag, headers } = object
    response
      .writeHead(200, { ...headers, etag, 'content-length': size, 'last-modified': new Date(0).toUTCString() })
      .end()
  } else if (method === 'POST' && query.has('uploads')) {
    uploadsBegun += 1
    uploads.set(String(uploadsBegun), { headers: remember(headers), sizes: new Map() })
    xml(`<InitiateMultipartUploadResult><UploadId>${uploadsBegun}</UploadId></InitiateMultipartUploadResult>`)
  } else if (method === 'POST' && upload !== undefined) {
    const size = [...upload.sizes.values()].reduce((sum, part) => sum + part, 0)
    const etag = `"${createHash('md5').update(path).digest('hex')}-${upload.sizes.size}"`
    const checksums = remember(headers)
    objects.set(path, { size, etag, headers: { ...upload.headers, ...checksums } })
    const crc = checksums['x-amz-checksum-crc32']
    const checksum =
      crc === undefined ? '' : `<ChecksumCRC32>${crc}</ChecksumCRC32><ChecksumType>FULL_OBJECT</ChecksumType>`
    xml(`<CompleteMultipartUploadResult><ETag>${etag}</ETag>${checksum}</CompleteMultipartUploadResult>`)
  } else if (method === 'PUT') {
    const checksums = remember(headers)
    if (upload === undefined) objects.set(path, { ...body, headers: checksums })
    else upload.sizes.set(Number(query.get('partNumber')), body.size)
    const echoed = Object.entries(checksums).filter(([name]) => name.startsWith('x-amz-checksum-'))
    response.writeHead(200, { ...Object.fromEntries(echoed), etag: body.etag }).end()
  } else {
    response.writeHead(204).end()
  }
}

/** Reads the body to its end. */
async function discard(request: IncomingMessage): Promise<{ size: number; etag: string }> {
  const { 'content-length': length, 'x-amz-decoded-content-length': decoded } = request.headers
  const md5 = decoded === undefined && Number(length) <= HASHED_BODY_BYTES ? createHash('md5') : undefined
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    md5?.update(chunk)
  })
  await new Promise(resolve => request.on('end', resolve))
  seen.bytes += size
  return { size: Number(decoded ?? size), etag: md5 === undefined ? '"opaque"' : `"${md5.digest('hex')}"` }
}

/** The headers that are part of an object. */
function remember(headers: IncomingMessage['headers']): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => /^x-amz-(meta-|checksum-(?!algorithm|mode))/.test(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
}

function list(bucket: string, query: URLSearchParams): string {
  const prefix = `${bucket}/${query.get('prefix') ?? ''}`
  const after = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()].filter(key => key.startsWith(prefix) && key > after).sort()
  const page = keys.slice(0, PAGE_KEYS)
  const contents = page.map(path => {
    const { size, etag } = objects.get(path) ?? { size: 0, etag: '' }
    const key = path
      .slice(bucket.length + 1)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
    return `<Contents><Key>${key}</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>${etag}</ETag><Size>${size}</Size></Contents>`
  })
  const more = keys.length > page.length
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}${next}</ListBucketResult>`
}

const [keyPath = '', certPath = ''] = process.argv.slice(2)
const handle = (request: IncomingMessage, response: ServerResponse) => void answer(request, response)
const server = createServer({ key: readFileSync(keyPath), cert: readFileSync(certPath) }, handle)
server.keepAliveTimeout = 60_000
server.on('secureConnection', () => {
  seen.connections += 1
})
server.listen(0, '127.0.0.1', () => {
  answerLines((server.address() as AddressInfo).port, line => {
    if (line === 'forget') objects.clear()
    const report = { ...seen, cpu: measureCpu() }
    seen = seeNothing()
    return report
  })
})
