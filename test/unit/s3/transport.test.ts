/** Requests on the wire, against a server of plain HTTP that can hold them up or refuse them early. */
import assert from 'node:assert/strict'
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { after, test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { createTransport } from '../../../src/s3/transport'

/** More than the buffers of two sockets hold. */
const BODY = Buffer.alloc(64 * 1024 * 1024, 'id,title\n')

async function connectTo(answer: (incoming: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const agents = { httpAgent: new Agent({ keepAlive: true }), httpsAgent: new HttpsAgent() }
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: createTransport(agents, new AbortController().signal),
  })
  after(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  return {
    server,
    put: (Body = BODY) => client.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a.csv', Body })),
  }
}

test('a body leaves whole and with its length, and so it does when it is sent again', async () => {
  let attempts = 0
  const { put } = await connectTo((incoming, response) => {
    assert.equal(incoming.headers['content-length'], String(BODY.length))
    assert.equal(incoming.headers['transfer-encoding'], undefined)
    let received = 0
    incoming.on('data', (piece: Buffer) => {
      assert.ok(piece.equals(BODY.subarray(received, received + piece.length)))
      received += piece.length
    })
    incoming.on('end', () => {
      assert.equal(received, BODY.length)
      attempts += 1
      response.writeHead(attempts === 1 ? 503 : 200).end()
    })
  })
  await put()
  assert.equal(attempts, 2)
})

test('a refusal before the body was read ends the request: its socket is not held', async () => {
  const sockets: Socket[] = []
  const { server, put } = await connectTo((_, response) => void response.writeHead(403).end())
  server.on('connection', socket => sockets.push(socket))
  await assert.rejects(put())
  const [socket] = sockets
  assert.ok(socket !== undefined)
  // The end of the test's time limit is the failure: the program's own limit is a minute.
  if (!socket.closed) await new Promise(resolve => socket.on('close', resolve))
})

test('an answer to a whole body keeps the connection for the next request', async () => {
  let connections = 0
  const { server, put } = await connectTo((incoming, response) =>
    incoming.resume().on('end', () => response.writeHead(200).end()),
  )
  server.on('connection', () => {
    connections += 1
  })
  for (let request = 0; request < 5; request += 1) await put(BODY.subarray(0, 1024 * 1024))
  assert.equal(connections, 1)
})
