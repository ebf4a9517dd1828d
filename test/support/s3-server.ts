/** A real S3 server on loopback, with a proxy in front of it that counts, and breaks what a server would not. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
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
import { makeTempFolder } from './temp-folder'

export interface SeenRequest {
  readonly method: string
  /** Path and query, as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What to do with a request: forward it (with another body, perhaps), or nothing, since it was answered. */
type Meddle = (seen: SeenRequest, response: ServerResponse) => Promise<Buffer | undefined> | Buffer | undefined

/** What the server answered, whole. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A request of which no more than the head has arrived. */
export interface Exchange {
  readonly incoming: IncomingMessage
  readonly response: ServerResponse
  /** The request with its body; `undefined` where the connection broke before all of it was there. */
  receive(): Promise<SeenRequest | undefined>
  forward(seen: SeenRequest, body: Buffer): Promise<Answer>
}

/** Deals with a request in place of the server. */
export type Fault = (exchange: Exchange) => Promise<void> | void

export interface TestServer {
  /** For the program's environment. */
  readonly env: { readonly AWS_ENDPOINT_URL: string; readonly BUCKET_NAME: string }
  /** In the order of their arrival. */
  readonly seen: SeenRequest[]
  /** The most bytes of bodies that were between arrival and answer at once. */
  mostBytesInFlight: number
  /** Connections that were opened. */
  connections: number
  meddle: Meddle
  /** The fault for a request, which is then not meddled with. */
  breakWith: (request: Pick<SeenRequest, 'method' | 'url' | 'headers'>) => Fault | undefined
  /** Creates the bucket, past the proxy. */
  createBucket(): Promise<void>
  /** Stores an object, past the proxy. */
  write(key: string, body: Buffer): Promise<void>
  keys(): Promise<string[]>
  read(key: string): Promise<{ readonly body: Buffer; readonly object: GetObjectCommandOutput }>
}

const BUCKET = 'test-lake'

/** @param tls the key and the certificate of a server that speaks TLS */
export async function startServer(tls?: { readonly key: string; readonly cert: string }): Promise<TestServer> {
  const s3rver = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: makeTempFolder() })
  const { port } = await s3rver.run()
  let bytesInFlight = 0
  /** Multipart uploads that were completed or aborted. */
  const ended = new Set<string>()

  const forward: Exchange['forward'] = async ({ method, url, headers }, body) => {
    const uploadId = new URL(url, 'http://proxy').searchParams.get('uploadId')
    // s3rver has no abort, and answers 500 for an upload that is no more.
    if (uploadId !== null && ended.has(uploadId)) return answerWithError(404, 'NoSuchUpload')
    if (uploadId !== null && method === 'DELETE') {
      ended.add(uploadId)
      return { status: 204, headers: {}, body: Buffer.alloc(0) }
    }
    const onwards = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false })
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      onwards.on('response', resolve).on('error', reject).end(body),
    )
    if (uploadId !== null && method === 'POST') ended.add(uploadId)
    return { status: answer.statusCode ?? 500, headers: answer.headers, body: await buffer(answer) }
  }

  const listener: RequestListener = async (incoming, response) => {
    const { method = '', url = '', headers } = incoming
    const receive: Exchange['receive'] = async () => {
      const body = await buffer(incoming).catch(() => undefined)
      if (body === undefined) return undefined
      const seen = { method, url, headers, body }
      server.seen.push(seen)
      bytesInFlight += body.length
      server.mostBytesInFlight = Math.max(server.mostBytesInFlight, bytesInFlight)
      response.on('close', () => {
        bytesInFlight -= body.length
      })
      return seen
    }
    const fault = server.breakWith({ method, url, headers })
    if (fault !== undefined) return await fault({ incoming, response, receive, forward })
    const seen = await receive()
    if (seen === undefined) return
    const forwarded = await server.meddle(seen, response)
    if (forwarded === undefined) return
    try {
      const answer = await forward(seen, forwarded)
      response.writeHead(answer.status, answer.headers).end(answer.body)
    } catch {
      response.destroy()
    }
  }
  const proxy = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  proxy.on('connection', () => {
    server.connections += 1
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))

  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: CREDENTIALS.AWS_ACCESS_KEY_ID, secretAccessKey: CREDENTIALS.AWS_SECRET_ACCESS_KEY },
  })
  after(async () => {
    client.destroy()
    proxy.closeAllConnections()
    proxy.close()
    await s3rver.close()
  })
  const server: TestServer = {
    env: {
      AWS_ENDPOINT_URL: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      BUCKET_NAME: BUCKET,
    },
    seen: [],
    mostBytesInFlight: 0,
    connections: 0,
    meddle: seen => seen.body,
    breakWith: () => undefined,
    createBucket: async () => void (await client.send(new CreateBucketCommand({ Bucket: BUCKET }))),
    write: async (key, body) =>
      void (await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }))),
    keys: async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }))
      return Contents.map(({ Key = '' }) => Key).sort()
    },
    read: async key => {
      const object = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
      return { body: Buffer.from((await object.Body?.transformToByteArray()) ?? []), object }
    },
  }
  return server
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
