/** Stands in for the command `jq`: the real one as WebAssembly, since a machine need not have it. */
const { readFileSync } = require('node:fs')
const jq = require('jq-wasm')

const args = process.argv.slice(2)
const [filter, flags] = [args.at(-1), args.slice(0, -1)]
jq.raw(readFileSync(0, 'utf8'), filter, flags).then(
  text => process.stdout.write(text === '' ? '' : `${text.trimEnd()}\n`),
  error => {
    console.error(error.message)
    process.exitCode = 5
  },
)
