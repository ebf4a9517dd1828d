/**
 * Loaded before the program (`node --require`): what it waits for passes 20 times as fast. Its timeouts and its pauses
 * between attempts are the real ones; only a test need not sit through them. On a busy machine everything takes longer,
 * and so the program waits longer, too.
 */
const { availableParallelism, loadavg } = require('node:os')
const { Socket } = require('node:net')
const promises = require('node:timers/promises')

const FACTOR = Math.max(2, 20 / Math.max(1, loadavg()[0] / availableParallelism()))

const { setTimeout: wait } = globalThis
globalThis.setTimeout = (task, ms = 0, ...rest) => wait(task, ms / FACTOR, ...rest)

const { setTimeout: pause } = promises
promises.setTimeout = (ms = 0, ...rest) => pause(ms / FACTOR, ...rest)

/** How long nothing may move on a socket. */
const { setTimeout: limitIdle } = Socket.prototype
Socket.prototype.setTimeout = function (ms, ...rest) {
  return limitIdle.call(this, ms / FACTOR, ...rest)
}
