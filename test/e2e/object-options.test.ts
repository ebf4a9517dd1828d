/** `OBJECT_OPTIONS` goes with each request that makes an object, and with no other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindOf } from '../support/faults'
import { runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const DATA_DIR = makeTempFolder({ 'small.csv': 'a\n', 'large.csv': Buffer.alloc(9 * 1024 * 1024, 'a,b\n') })

const OBJECT_OPTIONS = [
  'StorageClass=STANDARD_IA',
  'ServerSideEncryption=aws:kms',
  'SSEKMSKeyId=arn:aws:kms:eu-west-1:123456789012:key/1a-2b',
  'BucketKeyEnabled=true',
  'ACL=bucket-owner-full-control',
  'Tagging=team=data&tier=raw zone',
  'CacheControl=max-age=3600',
].join('; ')

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
const HEADERS = {
  'x-amz-storage-class': 'STANDARD_IA',
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:eu-west-1:123456789012:key/1a-2b',
  'x-amz-server-side-encryption-bucket-key-enabled': 'true',
  'x-amz-acl': 'bucket-owner-full-control',
  'x-amz-tagging': 'team=data&tier=raw+zone',
  'cache-control': 'max-age=3600',
}

const optionsOf = ({ headers }: SeenRequest) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name in HEADERS))

const makesObject = (seen: SeenRequest) => ['PutObject', 'CreateMultipartUpload'].includes(kindOf(seen) ?? '')

test('every object gets them, the manifest too, and no other request has them', async () => {
  const server = await startServer()
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, OBJECT_OPTIONS, MANIFEST: 'true' })
  assert.equal(code, 0, stderr)
  const makers = server.seen.filter(makesObject)
  assert.deepEqual(
    makers.map(({ method, url }) => `${method} ${/\w+\.\w+/.exec(new URL(url, 'http://s3').pathname)?.[0]}`).sort(),
    ['POST large.csv', 'PUT manifest.json', 'PUT small.csv'],
  )
  for (const seen of makers) assert.deepEqual(optionsOf(seen), HEADERS, seen.url)
  for (const seen of server.seen.filter(each => !makesObject(each))) assert.deepEqual(optionsOf(seen), {}, seen.url)
})

test('a bucket policy that demands a header is met by it', async () => {
  const server = await startServer()
  server.meddle = (seen, response) =>
    makesObject(seen) && seen.headers['x-amz-server-side-encryption'] !== 'AES256'
      ? refuse(response, 403, 'AccessDenied')
      : seen.body
  const env = { ...server.env, DATA_DIR }
  assert.equal((await runProgram(env)).code, 4)
  const { code, stderr } = await runProgram({ ...env, OBJECT_OPTIONS: 'ServerSideEncryption=AES256' })
  assert.equal(code, 0, stderr)
})
