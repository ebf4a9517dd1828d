/** Signatures, against AWS's own example and the SDK's own signer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { S3Client } from '@aws-sdk/client-s3'
import { HttpRequest } from '@smithy/core/protocols'
import fc from 'fast-check'
import { createSigner } from '../../../src/s3/sign'

test("the signature of AWS's example is the one in AWS's documentation", () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Example: PUT Object"
  const request = new HttpRequest({
    method: 'PUT',
    path: '/test%24file.text',
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    },
    body: Buffer.from('Welcome to Amazon S3.'),
  })
  const credentials = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  }
  createSigner({ region: 'us-east-1', service: 's3' })(request, credentials, new Date('2013-05-24T00:00:00Z'))
  assert.equal(
    request.headers['authorization'],
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  )
})

// The SDK's own signer loses a name that every object has.
const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(text => text !== '__proto__')
const headerName = fc.oneof(fc.stringMatching(/^x-amz-meta-[a-z0-9-]{1,20}$/), fc.constant('cache-control'))
const headerValue = fc.string({ unit: fc.constantFrom(...' \taz09.,;:=/"%é\u00a0\u2003') })
const credentials = fc.record(
  {
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
    secretAccessKey: fc.string({ minLength: 1 }),
    sessionToken: fc.base64String(),
  },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
)
const date = fc.date({ min: new Date('1990-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })

test("every signature is the SDK's, from one request to the next and from one day to the next", async () => {
  const client = new S3Client({ region: 'eu-west-3', credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } })
  const sign = createSigner({ region: 'eu-west-3', service: 's3' })
  const request = fc.record({
    key: fc.array(word, { minLength: 1, maxLength: 4 }),
    query: fc.dictionary(word, word),
    headers: fc.dictionary(headerName, headerValue),
    body: fc.uint8Array(),
    isUnsigned: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(request, credentials, date, async ({ key, query, headers, body, isUnsigned }, who, when) => {
      const path = `/lake/${key.map(encodeURIComponent).join('/')}`
      const hash: Record<string, string> = isUnsigned ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } : {}
      const sent = () => {
        const fixed = { host: 's3.example:9000', 'content-length': String(body.length), 'user-agent': 'aws-sdk-js' }
        return new HttpRequest({ method: 'PUT', path, query, headers: { ...fixed, ...hash, ...headers }, body })
      }
      const ours = sent()
      sign(ours, who, when)
      // The client signs with whatever credentials it has at that moment.
      client.config.credentials = async () => who
      const signer = await client.config.signer({
        name: 'sigv4',
        signingName: 's3',
        signingRegion: 'eu-west-3',
        properties: {},
      })
      const theirs = (await signer.sign(sent(), { signingDate: when })) as HttpRequest
      assert.deepEqual(ours.headers, theirs.headers)
    }),
    { numRuns: 500 },
  )
})
