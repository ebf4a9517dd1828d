/** Loaded before the program (`node --require`): says on stderr, as the program ends, how many bytes it read of files. */
const fs = require('node:fs')

const { read } = fs
let bytes = 0
fs.read = (descriptor, buffer, offset, length, position, callback) =>
  read(descriptor, buffer, offset, length, position, (error, bytesRead, ...rest) => {
    bytes += bytesRead ?? 0
    callback(error, bytesRead, ...rest)
  })
// What `promisify` makes of it gives an object.
fs.read[require('node:util').promisify.custom] = (...args) =>
  new Promise((resolve, reject) =>
    fs.read(...args, (error, bytesRead) => (error ? reject(error) : resolve({ bytesRead }))),
  )
process.on('exit', () => fs.writeSync(2, `READ ${bytes}\n`))
