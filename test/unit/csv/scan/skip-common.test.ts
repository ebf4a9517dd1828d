import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ASSEMBLED, assemble } from '../../../../scripts/assemble'

test('what is committed as WebAssembly is what its source makes', async () => {
  assert.equal(readFileSync(ASSEMBLED, 'utf8'), await assemble())
})
