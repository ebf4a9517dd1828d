/** `npm run demo`, as a newcomer runs it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/program'
import { makeTempFolder } from '../support/temp-folder'

const runDemo = (cwd: string, env: Record<string, string> = {}) =>
  spawnSync('npm', ['run', '--silent', 'demo'], { cwd, env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' })

/** A checkout of its own: the demo writes into it. */
function copyCheckout(): string {
  const checkout = makeTempFolder()
  for (const name of ['src', 'scripts', 'csv_files', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, name), join(checkout, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'))
  return checkout
}

test("it lands the samples on its own server and says where, whatever the developer's .env, profile and environment say", () => {
  const checkout = copyCheckout()
  writeFileSync(join(checkout, '.env'), 'BUCKET_NAME=decoy\nAWS_ENDPOINT_URL=http://127.0.0.1:1\nAWS_PROFILE=decoy\n')
  const decoys = {
    BUCKET_NAME: 'decoy',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_PROFILE: 'decoy',
    RUN_DATE: '2024-10-21',
  }
  const first = runDemo(checkout, decoys)
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, /demo: 2 uploaded, 0 unchanged, 0 failed/)
  assert.equal(first.stderr, '', 'a warning of its own making')

  const commands = [...first.stdout.matchAll(/^ {2}(head -n 3 .+)$/gm)].map(([, command = '']) => command)
  assert.deepEqual(
    commands.map(command => execFileSync('sh', ['-c', command], { cwd: checkout, encoding: 'utf8' })),
    ['movies.csv', 'series.csv'].map(name => {
      const lines = readFileSync(join(ROOT, 'csv_files', name), 'utf8').split('\n')
      return `${lines.slice(0, 3).join('\n')}\n`
    }),
  )
  for (const command of commands) assert.ok(command.length <= 78, 'it fits on a line of a terminal of 80 columns')

  const second = runDemo(checkout)
  assert.match(second.stdout, /demo: 0 uploaded, 2 unchanged, 0 failed/)
})

test('its server lists more files than fit on a page, so that the second time all of them are unchanged', () => {
  const checkout = copyCheckout()
  for (let file = 1; file <= 1000; file++) writeFileSync(join(checkout, 'csv_files', `f${file}.csv`), 'id\n1\n')
  const { stdout } = runDemo(checkout)
  assert.match(stdout, /demo: 1002 uploaded, 0 unchanged, 0 failed/)
  assert.equal(stdout.match(/^ {2}head /gm)?.length, 5)
  assert.match(stdout, /^ {2}… and 997 more$/m)
  assert.match(runDemo(checkout).stdout, /demo: 0 uploaded, 1002 unchanged, 0 failed/)
})

test('it runs the program as it is built, from the sources as they are', () => {
  const checkout = copyCheckout()
  mkdirSync(join(checkout, 'dist'))
  writeFileSync(join(checkout, 'dist', 'main.js'), 'process.exit(7)')
  const main = join(checkout, 'src', 'main.ts')
  writeFileSync(main, `${readFileSync(main, 'utf8')}\nprocess.on('exit', () => console.log(__filename))\n`)
  const { status, stdout, stderr } = runDemo(checkout)
  assert.equal(status, 0, stderr)
  assert.ok(stdout.includes(join(realpathSync(checkout), 'dist', 'main.js')), stdout)
})

test("it exits with the program's code", () => {
  const checkout = copyCheckout()
  writeFileSync(join(checkout, 'csv_files', '--.csv'), 'a\n')
  const { status } = runDemo(checkout)
  assert.equal(status, 1)
})

test('git ignores what it leaves in the checkout', () => {
  assert.ok(existsSync(join(ROOT, '.gitignore')))
  const { status } = spawnSync('git', ['check-ignore', '--quiet', '.demo-s3/demo'], { cwd: ROOT })
  assert.equal(status, 0)
})
