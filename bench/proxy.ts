/**
 * Makes a server on this machine a far one: a TCP proxy in a process of its own that holds every chunk back for half the
 * round trip in each direction, and bounds the rate of each connection in each direction. A new connection carries its
 * first byte one round trip later, as after TCP's handshake. Slow start and lost packets are not imitated.
 *
 * usage: proxy PORT ROUND_TRIP_MS BYTES_PER_SECOND
 */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { answerLines, createCpuMeter } from './lines'

/** What a connection may run ahead of its rate before the proxy stops reading from it. */
const AHEAD_MS = 10

const [port = 0, roundTripMs = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number)
const now = () => performance.now()
const at = (due: number, act: () => void) => setTimeout(act, Math.max(0, due - now()))

/** Moves bytes from one socket to the other, late and at the connection's rate. */
function carry(from: Socket, to: Socket, begin: number): void {
  const waiting: { readonly due: number; readonly chunk: Buffer }[] = []
  let lineIsFree = begin
  let ended = false

  const deliver = () => {
    for (let first = waiting[0]; first !== undefined && first.due <= now(); first = waiting[0]) {
      to.write(first.chunk)
      waiting.shift()
    }
    const [first] = waiting
    if (first !== undefined) at(first.due, deliver)
    else if (ended) to.end()
  }
  from.on('data', (chunk: Buffer) => {
    lineIsFree = Math.max(lineIsFree, now()) + (chunk.length / bytesPerSecond) * 1000
    waiting.push({ due: lineIsFree + roundTripMs / 2, chunk })
    if (waiting.length === 1) at(lineIsFree + roundTripMs / 2, deliver)
    if (lineIsFree - now() <= AHEAD_MS) return
    from.pause()
    at(lineIsFree - AHEAD_MS / 2, () => from.resume())
  })
  from.on('end', () => {
    ended = true
    if (waiting.length === 0) to.end()
  })
  from.on('error', () => to.destroy())
  from.on('close', () => {
    if (!ended) to.destroy()
  })
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
  const upstream = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const begin = now()
  carry(client, upstream, begin + roundTripMs)
  carry(upstream, client, begin)
})
const measureCpu = createCpuMeter()
server.listen(0, '127.0.0.1', 512, () => {
  answerLines((server.address() as AddressInfo).port, () => ({ cpu: measureCpu() }))
})
