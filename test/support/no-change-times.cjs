/** Loaded before the program (`node --require`): file systems have no change times (ctime), as some have none. */
const fs = require('node:fs')

for (const name of ['fstatSync', 'lstatSync', 'statSync']) {
  const stat = fs[name]
  fs[name] = (...args) => {
    const stats = stat(...args)
    return stats.ctimeNs === undefined ? stats : Object.assign(stats, { ctimeNs: stats.mtimeNs })
  }
}
