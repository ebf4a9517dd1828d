/** Bodies on the wire, against a server of plain HTTP that can hold them up. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type Bodies, tuneBodies } from '../../../src/s3/body'

/** More than the buffers of two sockets hold. */
const BODY = Buffer.alloc(64 * 1024 * 1024, 'id,title\n')
/** What is handed to the socket at once. */
const SLICE = 512 * 1024

async function connectTo(answer: (incoming: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
  })
  const bodies: Bodies = new WeakMap()
  tuneBodies(client, bodies, { signsBodies: true })
  after(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  const counter = { bytesSent: 0 }
  bodies.set(BODY, counter)
  return { counter, put: () => client.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a.csv', Body: BODY })) }
}

test('a body is counted as it leaves, not when it was asked for, and leaves whole with its length', async () => {
  let atFirstPiece: number | undefined
  const { counter, put } = await connectTo((incoming, response) => {
    assert.equal(incoming.headers['content-length'], String(BODY.length))
    assert.equal(incoming.headers['transfer-encoding'], undefined)
    let received = 0
    incoming.on('data', (piece: Buffer) => {
      atFirstPiece ??= counter.bytesSent
      assert.ok(piece.equals(BODY.subarray(received, received + piece.length)))
      received += piece.length
      assert.ok(counter.bytesSent >= received - SLICE, `${counter.bytesSent} counted, ${received} received`)
    })
    incoming.on('end', () => response.end())
  })
  await put()
  assert.ok(atFirstPiece !== undefined && atFirstPiece < BODY.length, `${atFirstPiece} at the first piece`)
  assert.equal(counter.bytesSent, BODY.length)
})

test('a body that is sent again is whole again, and counts twice', async () => {
  const received: number[] = []
  const { counter, put } = await connectTo((incoming, response) => {
    let bytes = 0
    incoming.on('data', (piece: Buffer) => {
      bytes += piece.length
    })
    incoming.on('end', () => response.writeHead(received.push(bytes) === 1 ? 503 : 200).end())
  })
  await put()
  assert.deepEqual(received, [BODY.length, BODY.length])
  assert.equal(counter.bytesSent, 2 * BODY.length)
})
