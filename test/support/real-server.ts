/** A real S3 server, as test/servers/run starts it, with a proxy in front of it that sees and breaks requests. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after } from 'node:test'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type MultipartUpload,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { REAL_SERVERS, type User } from '../servers/servers'
import { startProgram } from './program'
import { forwardTo, type SeenRequest, startProxy, type TestProxy } from './proxy'

const PORT = Number(process.env['SERVER_PORT'])
const NAME = process.env['SERVER'] ?? ''
const isName = (name: string): name is keyof typeof REAL_SERVERS => name in REAL_SERVERS
assert.ok(PORT > 0 && isName(NAME), 'test/servers/run runs these tests')

/** Past the proxy. */
export const SERVER_URL = `http://127.0.0.1:${PORT}`
/** The server of this run, with what it lacks. */
export const SERVER = REAL_SERVERS[NAME]
/** Ceph 20 knows checksums, expected owners and conditions on every write; 16 does not. */
export const IS_CURRENT_CEPH = NAME === 'ceph-20'

export interface RealServer extends TestProxy {
  /** For the program's environment: the first user's credentials, and a bucket of this test's own. */
  readonly env: ReturnType<typeof environmentOf> & {
    readonly AWS_ENDPOINT_URL: string
    readonly BUCKET_NAME: string
    readonly RUN_DATE: string
    readonly KEY_LAYOUT: string
  }
  /** The first user's, past the proxy. */
  readonly client: S3Client
  /** The bucket is not there before. */
  createBucket(): Promise<void>
  write(key: string, body: Buffer | string): Promise<void>
  /** All of them, sorted. */
  keys(): Promise<string[]>
  read(key: string): Promise<Buffer>
  /** The unfinished multipart uploads of the bucket. */
  uploads(): Promise<MultipartUpload[]>
  /** Starts a multipart upload as another client would, and sends these parts of it, by their numbers from 1. */
  startUpload(
    key: string,
    parts: Readonly<Record<number, Buffer>>,
    input?: Partial<CreateMultipartUploadCommandInput>,
  ): Promise<{ readonly uploadId: string; readonly parts: { readonly PartNumber: number; readonly ETag: string }[] }>
}

/** The variables with a user's credentials. */
export function environmentOf({ accessKeyId, secretAccessKey }: User) {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
  }
}

export async function startRealServer(): Promise<RealServer> {
  const proxy = await startProxy(forwardTo(PORT))
  const client = connectAs(SERVER.user)
  const Bucket = `lake-${randomUUID()}`
  return Object.assign(proxy, {
    env: {
      ...environmentOf(SERVER.user),
      AWS_ENDPOINT_URL: proxy.url,
      BUCKET_NAME: Bucket,
      RUN_DATE: '2024-10-21',
      KEY_LAYOUT: 'raw/{file}',
    },
    client,
    createBucket: async () => void (await client.send(new CreateBucketCommand({ Bucket }))),
    write: async (Key: string, Body: Buffer | string) =>
      void (await client.send(new PutObjectCommand({ Bucket, Key, Body }))),
    keys: async () => {
      const keys: string[] = []
      let token: string | undefined
      do {
        const input = { Bucket, ...(token === undefined ? {} : { ContinuationToken: token }) }
        const { Contents = [], NextContinuationToken } = await client.send(new ListObjectsV2Command(input))
        keys.push(...Contents.map(({ Key = '' }) => Key))
        token = NextContinuationToken
      } while (token !== undefined)
      return keys.sort()
    },
    read: async (key: string) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }))
      return Buffer.from((await Body?.transformToByteArray()) ?? [])
    },
    uploads: async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [],
    startUpload: async (
      Key: string,
      parts: Readonly<Record<number, Buffer>>,
      input: Partial<CreateMultipartUploadCommandInput> = {},
    ) => {
      const created = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...input }))
      const { UploadId = '' } = created
      const sent = Object.entries(parts).map(async ([number, Body]) => {
        const PartNumber = Number(number)
        const { ETag = '' } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
        return { PartNumber, ETag }
      })
      return { uploadId: UploadId, parts: await Promise.all(sent) }
    },
  })
}

export function connectAs(user: User): S3Client {
  const client = new S3Client({
    endpoint: SERVER_URL,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: user,
  })
  after(() => client.destroy())
  return client
}

/** The number of the part that a request sends, from 1; 0 for any other request. */
export function partOf({ method, url }: Pick<SeenRequest, 'method' | 'url'>): number {
  return method === 'PUT' ? Number(new URL(url, 'http://proxy').searchParams.get('partNumber') ?? 0) : 0
}

/** The numbers of the parts that were sent, in order. */
export function sentParts(seen: readonly SeenRequest[]): number[] {
  return seen
    .map(partOf)
    .filter(Boolean)
    .sort((a, b) => a - b)
}

interface End {
  readonly signal: NodeJS.Signals
  readonly env: Readonly<Record<string, string | undefined>>
  /** Parts that are there before. */
  readonly there?: number
}

/** Runs the program until `parts` parts are there and another one is on its way, sends a signal, and waits for its end. */
export async function breakOff(server: RealServer, parts: number, { signal, env, there = 0 }: End) {
  const ready = new Promise<void>(resolve => {
    let landed = there
    let held = 0
    server.meddle = (seen, response) => {
      const part = partOf(seen)
      if (part > parts) held += 1
      else if (part > 0) {
        response.on('finish', () => {
          landed += 1
          if (landed === parts && held > 0) resolve()
        })
      }
      if (landed === parts && held > 0) resolve()
      return part > parts ? undefined : seen.body
    }
  })
  const program = startProgram(env)
  await ready
  program.kill(signal)
  const ended = await program.ended
  server.meddle = seen => seen.body
  server.seen.length = 0
  return ended
}
