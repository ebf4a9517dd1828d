/** Ceph's S3 gateway, as test/servers/ceph/up starts it, with a proxy in front of it: a server that checks signatures. */
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
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { forwardTo, startProxy, type TestProxy } from './proxy'

const PORT = Number(process.env['CEPH_PORT'])
const VERSION = Number(process.env['CEPH_VERSION'])
assert.ok(PORT > 0 && VERSION > 0, 'these tests are run by test/servers/ceph/run')

/** 20 knows checksums, expected owners and conditions on every write; 16 does not. */
export const IS_CURRENT = VERSION >= 20

const ALICE = {
  AWS_ACCESS_KEY_ID: 'AKIAALICEALICEALICE0',
  AWS_SECRET_ACCESS_KEY: 's3cr+t/al$ice=#key000000000000000000000000',
  AWS_SESSION_TOKEN: undefined,
} as const
/** What the server calls alice. */
export const ALICE_ID = '111111111111'
/** The other user. */
export const BOB = {
  AWS_ACCESS_KEY_ID: 'AKIABOBBOBBOBBOBBOB0',
  AWS_SECRET_ACCESS_KEY: 's3cr+t/bob=key000000000000000000000000000',
  AWS_SESSION_TOKEN: undefined,
} as const

type User = typeof ALICE | typeof BOB

export interface CephServer extends TestProxy {
  /** For the program's environment: alice's credentials, and a bucket of this test's own. */
  readonly env: User & {
    readonly AWS_ENDPOINT_URL: string
    readonly BUCKET_NAME: string
    readonly RUN_DATE: string
  }
  /** Alice's, past the proxy. */
  readonly client: S3Client
  /** The bucket is not there before. */
  createBucket(): Promise<void>
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

export async function startCeph(): Promise<CephServer> {
  const proxy = await startProxy(forwardTo(PORT))
  const client = connectAs(ALICE)
  const Bucket = `lake-${randomUUID()}`
  return Object.assign(proxy, {
    env: { ...ALICE, AWS_ENDPOINT_URL: proxy.url, BUCKET_NAME: Bucket, RUN_DATE: '2024-10-21' },
    client,
    createBucket: async () => void (await client.send(new CreateBucketCommand({ Bucket }))),
    keys: async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
      return Contents.map(({ Key = '' }) => Key).sort()
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
    endpoint: `http://127.0.0.1:${PORT}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: user.AWS_ACCESS_KEY_ID, secretAccessKey: user.AWS_SECRET_ACCESS_KEY },
  })
  after(() => client.destroy())
  return client
}
