/** What `npm publish` would put up: one file that runs wherever Node is. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/program'
import { makeTempFolder } from '../support/temp-folder'

const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

/** As npm runs it on another's machine: nothing of this one's settings, and no network. */
function npm(command: 'npm' | 'npx', cwd: string, ...args: string[]): string {
  const env = { PATH: process.env['PATH'], HOME: makeTempFolder(), npm_config_offline: 'true' }
  return execFileSync(command, args, { cwd, env, encoding: 'utf8' })
}

/** Packs a checkout that was never built. */
function pack(): { readonly folder: string; readonly name: string; readonly files: readonly string[] } {
  const folder = makeTempFolder()
  for (const name of ['src', 'csv_files', 'package.json', 'README.md', 'LICENSE', 'tsconfig.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const [{ filename, files }] = JSON.parse(npm('npm', folder, 'pack', '--json', '--silent'))
  return { folder, name: filename, files: files.map(({ path }: { path: string }) => path) }
}

test('the package holds the built program and nothing that it does not need, and npx runs it', () => {
  const { folder, name, files } = pack()
  assert.deepEqual([...files].sort(), ['LICENSE', 'README.md', 'dist/main.js', 'package.json'])
  assert.equal(MANIFEST.dependencies, undefined, 'all of them are in the bundle')

  const elsewhere = makeTempFolder()
  cpSync(join(folder, name), join(elsewhere, name))
  assert.equal(npm('npx', elsewhere, '--yes', `./${name}`, '--version').trim(), MANIFEST.version)
})

test('the package says where it comes from', () => {
  assert.match(MANIFEST.repository.url, /^git\+https:\/\/github\.com\/[\w-]+\/data-raw-upload\.git$/)
  assert.deepEqual(MANIFEST.bin, { 'data-raw-upload': 'dist/main.js' })
  assert.notEqual(MANIFEST.private, true)
})
