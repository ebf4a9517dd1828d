/** A server that makes an object of 0 bytes of an upload, and answers as if all were well. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { runJson } from '../../support/program'
import { startRealServer } from '../../support/real-server'
import { makeTempFolder } from '../../support/temp-folder'

test('a file in parts that ends as an object of other content does not count as landed', async () => {
  const server = await startRealServer()
  const content = randomBytes(8 * 1024 * 1024 + 1)
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'small.csv': 'id\n1\n', 'large.csv': content }) }
  const { code, ends } = await runJson(env)
  assert.equal((await server.read('raw/small.csv')).toString(), 'id\n1\n')
  // Either the program finds the way in which this server keeps the content, or the file fails.
  const hasLanded = (await server.read('raw/large.csv')).equals(content)
  assert.deepEqual(ends, [`large.csv ${hasLanded ? 'uploaded' : 'verify_mismatch'}`, 'small.csv uploaded'])
  assert.equal(code, hasLanded ? 0 : 1)
})
