/** Loaded before the program (`node --require`): a network file system loses a large file once it was read. */
const fs = require('node:fs')

const LARGE = 8 * 1024 * 1024

const { fstatSync } = fs
let looks = 0
fs.fstatSync = (...args) => {
  const stats = fstatSync(...args)
  if (stats.size > LARGE) looks += 1
  // The first look is at the file as it was opened.
  if (stats.size > LARGE && looks > 1) {
    throw Object.assign(new Error('ESTALE: stale file handle, fstat'), { code: 'ESTALE', syscall: 'fstat' })
  }
  return stats
}
