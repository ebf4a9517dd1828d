/** A real S3 server on loopback, with a proxy in front of it that counts, and breaks what a server would not. */
import { createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { after } from 'node:test'
import { GetObjectCommand, type GetObjectCommandOutput, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
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

export interface TestServer {
  /** For the program's environment. */
  readonly env: { readonly AWS_ENDPOINT_URL: string; readonly BUCKET_NAME: string }
  /** In the order of their arrival. */
  readonly seen: SeenRequest[]
  /** The most bytes of bodies that were between arrival and answer at once. */
  mostBytesInFlight: number
  meddle: Meddle
  keys(): Promise<string[]>
  read(key: string): Promise<{ readonly body: Buffer; readonly object: GetObjectCommandOutput }>
}

const BUCKET = 'test-lake'

export async function startServer(): Promise<TestServer> {
  const s3rver = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: makeTempFolder() })
  const { port } = await s3rver.run()
  let bytesInFlight = 0

  const proxy = createServer(async (incoming, response) => {
    const body = await buffer(incoming).catch(() => undefined)
    if (body === undefined) return
    const seen = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body }
    server.seen.push(seen)
    bytesInFlight += body.length
    server.mostBytesInFlight = Math.max(server.mostBytesInFlight, bytesInFlight)
    response.on('close', () => {
      bytesInFlight -= body.length
    })
    const forwarded = await server.meddle(seen, response)
    if (forwarded === undefined) return
    const { method, headers } = seen
    const onwards = request({ host: '127.0.0.1', port, method, path: seen.url, headers, agent: false }, answer => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    onwards.on('error', () => response.destroy())
    onwards.end(forwarded)
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
    env: { AWS_ENDPOINT_URL: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, BUCKET_NAME: BUCKET },
    seen: [],
    mostBytesInFlight: 0,
    meddle: seen => seen.body,
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
): undefined {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
