/** Loaded before the program (`node --require`): files lie on a network file system, whose attributes are asked for when a file is opened, and then cached. */
const fs = require('node:fs')

const NFS = 0x6969
const { fstatSync, openSync, statfsSync } = fs
const cached = new Map()

fs.statfsSync = (...args) => Object.assign(statfsSync(...args), { type: NFS })
fs.openSync = (...args) => {
  const descriptor = openSync(...args)
  cached.delete(descriptor)
  return descriptor
}
fs.fstatSync = (descriptor, ...args) => {
  const stats = cached.get(descriptor) ?? fstatSync(descriptor, ...args)
  cached.set(descriptor, stats)
  return stats
}
