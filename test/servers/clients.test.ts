/** Objects that other clients stored: the same content is `unchanged`, one other bit is sent. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { CompleteMultipartUploadCommand } from '@aws-sdk/client-s3'
import { oneBitOff } from '../support/faults'
import { runJson } from '../support/program'
import { environmentOf, type RealServer, SERVER, SERVER_URL, startRealServer } from '../support/real-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const TREE = process.env['DEBIAN_TREE'] ?? ''
/** A folder in the tree, with its path as seen from there. */
const SHARED = mkdtempSync(join(TREE, 'tmp', 'data-raw-upload-'))
const shared = SHARED.slice(TREE.length)
after(() => rmSync(SHARED, { recursive: true }))

const CONTENTS = {
  /** In parts of 5 MiB these are two parts, as in ours of 8 MiB. */
  'as-many-parts': randomBytes(8 * MIB + 1),
  'more-parts': randomBytes(20 * MIB + 1),
} as const

/** The clients' own names; `none` where a client sends no checksum. */
const CHECKSUMS = ['default', 'none', 'CRC32', 'SHA256'] as const
const PART_SIZES = [5, 8, 16] as const

interface Upload {
  /** The part size in MiB. */
  readonly partSize: number
  readonly checksum: (typeof CHECKSUMS)[number]
  readonly key: string
}

/** Stores the content that is in the tree at `path`, in each of the ways. */
type Client = (server: RealServer, path: string, content: Buffer, uploads: readonly Upload[]) => Promise<void> | void

/** Runs a program of the tree against the server, past the proxy, with nothing else in its environment. */
function runInTree(env: Readonly<Record<string, string>>, command: readonly string[]): void {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = environmentOf(SERVER.user)
  execFileSync('chroot', [TREE, ...command], {
    env: {
      PATH: '/usr/sbin:/usr/bin:/bin',
      HOME: shared,
      LC_ALL: 'C.UTF-8',
      AWS_ENDPOINT_URL: SERVER_URL,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY,
      ...env,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

const calculationOf = (checksum: Upload['checksum']) => (checksum === 'none' ? 'when_required' : 'when_supported')
const isNamed = (checksum: Upload['checksum']) => checksum === 'CRC32' || checksum === 'SHA256'

const CLIENTS: Readonly<Record<string, { readonly store: Client; readonly checksums: readonly Upload['checksum'][] }>> =
  {
    'aws-cli': {
      checksums: CHECKSUMS,
      store: ({ env: { BUCKET_NAME } }, path, _, uploads) => {
        for (const { partSize, checksum, key } of uploads) {
          const s3 = `s3 =\n  multipart_threshold = 5MB\n  multipart_chunksize = ${partSize}MB\n  addressing_style = path\n`
          mkdirSync(join(SHARED, '.aws'), { recursive: true })
          writeFileSync(join(SHARED, '.aws', 'config'), `[default]\n${s3}`)
          const env = { AWS_REQUEST_CHECKSUM_CALCULATION: calculationOf(checksum) }
          const named = isNamed(checksum) ? ['--checksum-algorithm', checksum] : []
          runInTree(env, ['aws', 's3', 'cp', '--only-show-errors', ...named, path, `s3://${BUCKET_NAME}/${key}`])
        }
      },
    },
    boto3: {
      checksums: CHECKSUMS,
      store: ({ env: { BUCKET_NAME } }, path, _, uploads) => {
        const jobs = uploads.map(({ partSize, checksum, key }) => ({
          key,
          partSize: partSize * MIB,
          calculation: calculationOf(checksum),
          extra: isNamed(checksum) ? { ChecksumAlgorithm: checksum } : {},
        }))
        const script = `
import boto3, json, sys
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
for job in json.loads(sys.argv[1]):
    config = Config(request_checksum_calculation=job['calculation'], s3={'addressing_style': 'path'})
    transfer = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=job['partSize'])
    client = boto3.client('s3', config=config)
    client.upload_file(sys.argv[2], sys.argv[3], job['key'], ExtraArgs=job['extra'], Config=transfer)
`
        runInTree({}, ['python3', '-c', script, JSON.stringify(jobs), path, BUCKET_NAME])
      },
    },
    rclone: {
      checksums: ['none'],
      store: ({ env: { BUCKET_NAME } }, path, _, uploads) => {
        for (const { partSize, key } of uploads) {
          const remote = `:s3,provider=Other,env_auth=true,endpoint='${SERVER_URL}':${BUCKET_NAME}/${key}`
          const sizes = [`--s3-chunk-size=${partSize}Mi`, '--s3-upload-cutoff=5Mi']
          runInTree({}, ['rclone', 'copyto', '--config=', '--s3-no-check-bucket', ...sizes, path, remote])
        }
      },
    },
    /** Its requests sent by the SDK, since Debian has no s5cmd: an upload that was started without a checksum. */
    's5cmd (replayed)': {
      checksums: ['none'],
      store: async (server, _, content, uploads) => {
        for (const { partSize, key: Key } of uploads) {
          const size = partSize * MIB
          const cut = Array.from({ length: Math.ceil(content.length / size) }, (_, index) => index)
          const parts = Object.fromEntries(
            cut.map(index => [index + 1, content.subarray(index * size, (index + 1) * size)]),
          )
          const { uploadId: UploadId, parts: Parts } = await server.startUpload(Key, parts)
          const address = { Bucket: server.env.BUCKET_NAME, Key, UploadId }
          await server.client.send(new CompleteMultipartUploadCommand({ ...address, MultipartUpload: { Parts } }))
        }
      },
    },
  }

for (const [client, { store, checksums }] of Object.entries(CLIENTS)) {
  describe(client, () => {
    for (const [name, content] of Object.entries(CONTENTS)) {
      const uploads = PART_SIZES.flatMap(partSize =>
        checksums.map(checksum => ({ partSize, checksum, key: `raw/${partSize}-MiB-${checksum}.csv` })),
      )
      const nameOf = ({ key }: Upload) => key.replace('raw/', '')
      const folderOf = (body: Buffer) =>
        makeTempFolder(Object.fromEntries(uploads.map(upload => [nameOf(upload), body])))

      test(`${name}, parts of 5, 8 and 16 MiB, checksums ${checksums.join(', ')}: unchanged, and an edit is sent`, async () => {
        const server = await startRealServer()
        await server.createBucket()
        writeFileSync(join(SHARED, name), content)
        await store(server, `${shared}/${name}`, content, uploads)
        assert.deepEqual(await server.keys(), uploads.map(({ key }) => key).sort())

        const env = { ...server.env, DATA_DIR: folderOf(content) }
        const { code, stdout, files } = await runJson(env)
        assert.equal(code, 0, stdout)
        const sent = files.filter(({ outcome }) => outcome !== 'unchanged')
        assert.deepEqual(
          sent.map(({ file }) => file),
          [],
        )

        const second = await runJson({ ...env, DATA_DIR: folderOf(oneBitOff(content)) })
        for (const { file, outcome } of second.files) assert.equal(outcome, 'uploaded', file)
      })
    }
  })
}
