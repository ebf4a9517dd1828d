/** A real S3 server on loopback, with a proxy in front of it. */
import type { ServerResponse } from 'node:http'
import { after } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import S3rver from 's3rver'
import { CREDENTIALS } from './program'
import { type Answer, type Exchange, forwardTo, startProxy, type TestProxy } from './proxy'
import { makeTempFolder } from './temp-folder'

export interface TestServer extends TestProxy {
  /** For the program's environment. */
  readonly env: { readonly AWS_ENDPOINT_URL: string; readonly BUCKET_NAME: string }
  /** Creates the bucket, past the proxy. */
  createBucket(): Promise<void>
  /** Stores an object, past the proxy. */
  write(key: string, body: Buffer): Promise<void>
  keys(): Promise<string[]>
  /** What the bucket holds: of each key the size in bytes, and the ETag with its quotes. */
  objects(): Promise<ReadonlyMap<string, { readonly size: number | undefined; readonly etag: string | undefined }>>
  read(key: string): Promise<{ readonly body: Buffer; readonly object: GetObjectCommandOutput }>
}

const BUCKET = 'test-lake'

/** @param tls the key and the certificate of a server that speaks TLS */
export async function startServer(tls?: { readonly key: string; readonly cert: string }): Promise<TestServer> {
  const s3rver = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: makeTempFolder() })
  const { port } = await s3rver.run()
  const ask = forwardTo(port)
  /** Multipart uploads that were completed or aborted. */
  const ended = new Set<string>()

  const forward: Exchange['forward'] = async (seen, body) => {
    const { method, url } = seen
    const uploadId = new URL(url, 'http://proxy').searchParams.get('uploadId')
    // s3rver has no abort, and answers 500 for an upload that is no more.
    if (uploadId !== null && ended.has(uploadId)) return answerWithError(404, 'NoSuchUpload')
    if (uploadId !== null && method === 'DELETE') {
      ended.add(uploadId)
      return { status: 204, headers: {}, body: Buffer.alloc(0) }
    }
    const answer = await ask(seen, body)
    if (uploadId !== null && method === 'POST') ended.add(uploadId)
    return answer
  }

  const proxy = await startProxy(forward, tls)
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID, secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY },
  })
  after(async () => {
    client.destroy()
    await s3rver.close()
  })
  return Object.assign(proxy, {
    env: { AWS_ENDPOINT_URL: proxy.url, BUCKET_NAME: BUCKET },
    createBucket: async () => void (await client.send(new CreateBucketCommand({ Bucket: BUCKET }))),
    write: async (key: string, body: Buffer) =>
      void (await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }))),
    keys: async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))
      return Contents.map(({ Key = '' }) => Key).sort()
    },
    objects: async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))
      return new Map(Contents.map(({ Key = '', Size, ETag }) => [Key, { size: Size, etag: ETag }]))
    },
    read: async (key: string) => {
      const object = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
      return { body: Buffer.from((await object.Body?.transformToByteArray()) ?? []), object }
    },
  })
}

/** A refusal as S3 writes it. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
  message = code,
): undefined {
  const answer = answerWithError(status, code, message)
  response.writeHead(status, { ...answer.headers, ...headers }).end(answer.body)
}

function answerWithError(status: number, code: string, message = code): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(xml) }
}
