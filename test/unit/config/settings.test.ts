/** The documents name the settings that the program reads: all of them, and no other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse as parseDotenv } from 'dotenv'
import { describeDefault, SETTINGS } from '../../../src/config/settings'
import { ROOT } from '../../support/program'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')

test("the README's table has a row for every setting, with its default, and for nothing else", () => {
  const rows = [...read('README.md').matchAll(/^\| (`[A-Z0-9_]+`.*?) \| (.*?) \| .* \|$/gm)]
  const documented = rows.flatMap(([, names = '']) => names.match(/[A-Z0-9_]{2,}/g) ?? [])
  assert.deepEqual(documented.sort(), SETTINGS.map(({ name }) => name).sort())
  const defaults = rows.map(([, , value = '']) => value.replaceAll('`', '')).join('\n')
  for (const setting of SETTINGS)
    assert.ok(defaults.includes(describeDefault(setting) ?? '–'), `${setting.name}: ${describeDefault(setting)}`)
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
