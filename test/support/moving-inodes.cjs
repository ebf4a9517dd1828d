/** Loaded before the program (`node --require`): a file has another inode number each time it is looked at, as on some FUSE file systems. */
const fs = require('node:fs')

let looks = 0
for (const name of ['fstatSync', 'lstatSync', 'statSync']) {
  const stat = fs[name]
  fs[name] = (...args) => {
    const stats = stat(...args)
    looks += 1
    return stats === undefined
      ? stats
      : Object.assign(stats, { ino: typeof stats.ino === 'bigint' ? BigInt(looks) : looks })
  }
}
