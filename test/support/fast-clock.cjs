/**
 * Loaded before the program (`node --require`): what it waits for passes 20 times as fast. Its timeouts and its pauses
 * between attempts are the real ones; only a test need not sit through them.
 */
const { Socket } = require('node:net')
const promises = require('node:timers/promises')

const FACTOR = 20

const { setTimeout: wait } = globalThis
globalThis.setTimeout = (task, ms = 0, ...rest) => wait(task, ms / FACTOR, ...rest)

const { setTimeout: pause } = promises
promises.setTimeout = (ms = 0, ...rest) => pause(ms / FACTOR, ...rest)

/** How long nothing may move on a socket. */
const { setTimeout: limitIdle } = Socket.prototype
Socket.prototype.setTimeout = function (ms, ...rest) {
  return limitIdle.call(this, ms / FACTOR, ...rest)
}
