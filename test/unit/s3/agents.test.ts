/** Connections that are opened before they are needed, to servers of plain HTTP. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, test } from 'node:test'
import { openAhead } from '../../../src/s3/agents'
import { listen } from '../../support/listen'

async function serve(answer: (response: ServerResponse, sockets: readonly Socket[]) => void) {
  const sockets: Socket[] = []
  const server = createServer((_, response) => answer(response, sockets))
  server.on('connection', socket => sockets.push(socket))
  return { server, sockets, port: await listen(server) }
}

async function ask(agent: Agent, port: number): Promise<number | undefined> {
  const [answer] = (await once(get({ agent, host: '127.0.0.1', port }), 'response')) as [IncomingMessage]
  await once(answer.resume(), 'end')
  return answer.statusCode
}

function createAgent(ahead: number): Agent {
  const agent = new Agent({ keepAlive: true })
  openAhead(agent, ahead)
  after(() => agent.destroy())
  return agent
}

test('the first connection is opened together with those that are needed next, and no request opens another', async () => {
  const held: ServerResponse[] = []
  const { server, sockets, port } = await serve(response => held.push(response))
  const agent = createAgent(2)
  const first = ask(agent, port)
  while (sockets.length < 3 || held.length < 1) await once(server, sockets.length < 3 ? 'connection' : 'request')
  held[0]?.end()
  await first
  const others = [ask(agent, port), ask(agent, port), ask(agent, port)]
  while (held.length < 4) await once(server, 'request')
  for (const response of held) response.end()
  await Promise.all(others)
  assert.equal(sockets.length, 3)
})

test('a connection that is gone by then is not taken, and nothing fails', async () => {
  const { server, sockets, port } = await serve(response => response.end())
  const agent = new Agent({ keepAlive: true })
  after(() => agent.destroy())
  const open = agent.createConnection.bind(agent)
  const opened: Duplex[] = []
  agent.createConnection = (options, callback) => {
    const connection = open(options, callback)
    if (connection) opened.push(connection)
    return connection
  }
  openAhead(agent, 1)
  await ask(agent, port)
  while (sockets.length < 2) await once(server, 'connection')
  const gone = opened.map(connection => new Promise(resolve => connection.once('close', resolve)))
  for (const socket of sockets) socket.resetAndDestroy()
  await Promise.all(gone)
  await ask(agent, port)
  assert.equal(opened.length, 3)
})

test('what a server says on a connection that asked for nothing is no answer to the next request', async () => {
  const { server, sockets, port } = await serve(response => response.end())
  const agent = createAgent(1)
  await ask(agent, port)
  while (sockets.length < 2) await once(server, 'connection')
  const said = sockets.map(socket => once(socket, 'finish'))
  for (const socket of sockets) socket.end('HTTP/1.1 408 Request Time-out\r\ncontent-length: 0\r\n\r\n')
  await Promise.all(said)
  // The bytes cross the loopback interface before those of a request that begins now.
  await ask(createAgent(0), port)
  assert.deepEqual(await Promise.all([ask(agent, port), ask(agent, port)]), [200, 200])
})

test('a request to another place gets a connection of its own', async () => {
  const [one, other] = [await serve(response => response.end('one')), await serve(response => response.end('other'))]
  const agent = createAgent(1)
  await ask(agent, one.port)
  await ask(agent, other.port)
  assert.equal(other.sockets.length, 1)
})
