/** The documents name the settings that the program reads: all of them, and no other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse as parseDotenv } from 'dotenv'
import { describeDefault, SETTINGS } from '../../../src/config/settings'
import { ROOT } from '../../support/program'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')

/** The rows of a document's tables: which settings each is of, and what it gives as their default. */
function readRows(document: string): { readonly names: readonly string[]; readonly default: string }[] {
  const rows = [...read(document).matchAll(/^\| (`[A-Z0-9_]+`.*?) +\| (.*?) +\| .* \|$/gm)]
  return rows.map(([, names = '', value = '']) => ({
    names: names.match(/[A-Z0-9_]{2,}/g) ?? [],
    default: value.replaceAll('`', ''),
  }))
}

for (const document of ['docs/settings.md', 'README.md']) {
  test(`${document} has no row for what is no setting, and the right defaults`, () => {
    for (const row of readRows(document)) {
      for (const name of row.names) {
        const setting = SETTINGS.find(each => each.name === name)
        assert.ok(setting !== undefined, name)
        const value = describeDefault(setting)
        assert.ok(value === undefined || row.default.includes(value), `${name}: ${value}`)
      }
    }
  })
}

test('docs/settings.md has a row for every setting, and the README for the eight that most people need', () => {
  const namesIn = (document: string) => readRows(document).flatMap(({ names }) => names)
  assert.deepEqual(namesIn('docs/settings.md').sort(), SETTINGS.map(({ name }) => name).sort())
  assert.equal(namesIn('README.md').length, 8)
})

test('.env.example names every setting that is the same for every run, and no other', () => {
  const named = [...read('.env.example').matchAll(/^(?:# )?([A-Z0-9_]+)=/gm)].map(([, name]) => name)
  const useless = ['SHARD', 'SHARDS', 'JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX']
  assert.deepEqual(
    named.sort(),
    SETTINGS.map(({ name }) => name as string)
      .filter(name => !useless.includes(name))
      .sort(),
  )
})

test('.env.example, copied unchanged, names no bucket: nothing gets created by it', () => {
  assert.equal(parseDotenv(read('.env.example'))['BUCKET_NAME'], '')
})
