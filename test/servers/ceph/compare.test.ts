/** Objects of other clients under the keys of a run: what proves that they hold the same content, and what does not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import {
  ChecksumType,
  CompleteMultipartUploadCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { toComposite, toHex } from '../../../src/lib/crc32'
import { oneBitOff } from '../../support/faults'
import { runProgram } from '../../support/program'
import { IS_CURRENT_CEPH, type RealServer, startRealServer } from '../../support/real-server'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024
const KEY = 'raw/a.csv'

/** Stores `content` as another client would, in parts of these sizes and a last one with the rest. */
async function storeInParts(
  server: RealServer,
  content: Buffer,
  sizes: readonly number[],
  input: Parameters<RealServer['startUpload']>[2] = {},
) {
  const parts: Record<number, Buffer> = {}
  let offset = 0
  for (const [index, size] of [...sizes, Infinity].entries()) {
    parts[index + 1] = content.subarray(offset, offset + size)
    offset += size
  }
  const { uploadId: UploadId, parts: Parts } = await server.startUpload(KEY, parts, input)
  const address = { Bucket: server.env.BUCKET_NAME, Key: KEY, UploadId }
  await server.client.send(new CompleteMultipartUploadCommand({ ...address, MultipartUpload: { Parts } }))
}

const store = (server: RealServer, Body: Buffer) =>
  server.client.send(new PutObjectCommand({ Bucket: server.env.BUCKET_NAME, Key: KEY, Body }))

const look = (server: RealServer) =>
  server.client.send(new HeadObjectCommand({ Bucket: server.env.BUCKET_NAME, Key: KEY, ChecksumMode: 'ENABLED' }))

const CONTENT = randomBytes(18 * MIB)
const fiveMib = [5, 5, 5].map(size => size * MIB)

interface Case {
  readonly what: string
  readonly content?: Buffer
  readonly store: (server: RealServer, content: Buffer) => Promise<unknown>
  /** That the object is what the case is about. */
  readonly expects?: (head: HeadObjectCommandOutput) => boolean
  /** Whether the server gives what proves it. */
  readonly isProof: boolean
}

const CASES: readonly Case[] = [
  { what: 'one PutObject', content: CONTENT.subarray(0, MIB), store, isProof: true },
  { what: 'one PutObject of a file that would go up in parts', store, isProof: true },
  {
    what: 'parts of the size that the program takes, with a checksum of the whole',
    store: (server, content) =>
      storeInParts(server, content, [8 * MIB, 8 * MIB], { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }),
    expects: head => !IS_CURRENT_CEPH || head.ChecksumType === ChecksumType.FULL_OBJECT,
    isProof: true,
  },
  {
    what: 'parts of 5 MiB with a checksum of the whole',
    store: (server, content) =>
      storeInParts(server, content, fiveMib, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }),
    expects: head => !IS_CURRENT_CEPH || head.ChecksumType === ChecksumType.FULL_OBJECT,
    isProof: IS_CURRENT_CEPH,
  },
  {
    what: 'parts of 5 MiB with a checksum of their checksums',
    store: async (server, content) => {
      await storeInParts(server, content, fiveMib)
      const parts = [0, 5, 10, 15].map(start => crc32(content.subarray(start * MIB, (start + 5) * MIB)))
      const { ETag } = await look(server)
      // Ceph makes one of the whole in any case.
      server.breakWith = ({ method, url }) => {
        if (method !== 'HEAD' || url.includes('partNumber')) return undefined
        return async ({ receive, forward, response }) => {
          const seen = await receive()
          if (seen === undefined) return
          const { status, headers } = await forward(seen, seen.body)
          const composite = {
            'x-amz-checksum-crc32': toComposite(parts),
            'x-amz-checksum-type': 'COMPOSITE',
            // Not to be gone by, then.
            etag: `"${'0'.repeat(32)}-4"`,
          }
          response.writeHead(status, { ...headers, ...(headers.etag === ETag ? composite : {}) }).end()
        }
      }
    },
    isProof: IS_CURRENT_CEPH,
  },
  {
    what: 'parts of 5 MiB with nothing but an ETag',
    store: (server, content) => storeInParts(server, content, fiveMib),
    expects: head => head.ChecksumCRC32 === undefined,
    // 16 does not tell the size of a part.
    isProof: IS_CURRENT_CEPH,
  },
  {
    what: 'parts of different sizes with nothing but an ETag',
    store: (server, content) => storeInParts(server, content, [5 * MIB, 6 * MIB]),
    isProof: false,
  },
  {
    what: 'parts of 5 MiB with our checksum in their metadata, which an upload that was gone on with may have of another file',
    store: (server, content) =>
      storeInParts(server, content, [5 * MIB, 6 * MIB], { Metadata: { crc32: toHex(crc32(CONTENT)) } }),
    isProof: false,
  },
]

for (const { what, content = CONTENT, store, expects = () => true, isProof } of CASES) {
  test(`${isProof ? 'unchanged' : 'sent again, since nothing proves it the same'}: ${what}`, async () => {
    const server = await startRealServer()
    await server.createBucket()
    const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': content }) }
    const run = async () => {
      server.seen.length = 0
      const { code, stdout, stderr } = await runProgram(env)
      assert.equal(code, 0, stderr)
      return /1 uploaded/.test(stdout)
    }
    await store(server, content)
    const head = await look(server)
    assert.ok(expects(head), JSON.stringify(head))
    assert.equal(await run(), !isProof)
    if (isProof) assert.ok(server.seen.every(({ method }) => method === 'HEAD' || method === 'GET'))

    // The same way, one bit off: no proof of the one content is taken for one of the other.
    await store(server, oneBitOff(content))
    assert.equal(await run(), true)
    assert.ok((await server.read(KEY)).equals(content))
    assert.equal(await run(), false)
  })
}
