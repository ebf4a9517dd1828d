/** What lands is one state of the file: a file that changes while it is sent fails, or lands as it was opened. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { editUnseen, TIME } from '../support/edit-unseen'
import { kindOf } from '../support/faults'
import { preload, runJson } from '../support/program'
import { startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const SIZE = 24 * MIB + 1

interface Case {
  readonly what: string
  readonly change: (path: string) => void
  /** Loaded before the program. */
  readonly preload?: string
}

const FAILS: readonly Case[] = [
  { what: 'grows', change: path => appendFileSync(path, '~') },
  { what: 'shrinks', change: path => truncateSync(path, statSync(path).size - 1) },
  { what: 'is edited in place where it was read already, with its old time', change: path => editUnseen(path, 0) },
  {
    what: 'is edited so on a file system whose clock does not tell',
    change: path => editUnseen(path, 0),
    preload: 'frozen-times',
  },
  {
    what: 'grows on a network file system, whose attributes are cached',
    change: path => appendFileSync(path, '~'),
    preload: 'cached-attributes',
  },
]

const LANDS: readonly Case[] = [
  { what: 'is removed', change: path => rmSync(path) },
  {
    what: 'is replaced by another of its size and time',
    change: path => {
      writeFileSync(`${path}.new`, Buffer.alloc(statSync(path).size, '~'))
      utimesSync(`${path}.new`, TIME, TIME)
      renameSync(`${path}.new`, path)
    },
  },
  { what: 'gets new rights', change: path => chmodSync(path, 0o640) },
  { what: 'gets another name', change: path => linkSync(path, join(makeTempFolder(), 'b.csv')) },
]

/** Sends a file in parts that changes when the first part arrives, and no other one is read yet. */
async function sendChanging({ change, preload: script }: Case) {
  const server = await startServer()
  const content = Buffer.alloc(SIZE, 'a,b\n')
  const DATA_DIR = makeTempFolder({ 'a.csv': content })
  const path = join(DATA_DIR, 'a.csv')
  utimesSync(path, TIME, TIME)
  server.meddle = seen => {
    if (seen.url.includes('partNumber=1&')) change(path)
    return seen.body
  }
  const { code, file } = await runJson({
    ...server.env,
    ...(script === undefined ? {} : { NODE_OPTIONS: preload(script) }),
    ...{ DATA_DIR, MAX_MEMORY: '8MiB', KEY_LAYOUT: '{file}' },
  })
  const count = (kind: string) => server.seen.filter(seen => kindOf(seen) === kind).length
  return { server, content, code, file, count }
}

describe('a file in parts that', { concurrency: 2 }, () => {
  for (const each of FAILS) {
    test(`${each.what} fails, and nothing of it lands or stays`, async () => {
      const { server, code, file, count } = await sendChanging(each)
      assert.equal(code, 1)
      assert.equal(file?.error?.code, 'changed_while_reading')
      assert.equal(file.error.retryable, true)
      assert.deepEqual(await server.keys(), [])
      // Nothing is sent once more in vain.
      assert.deepEqual([count('CreateMultipartUpload'), count('AbortMultipartUpload')], [1, 1])
    })
  }

  for (const each of LANDS) {
    test(`${each.what} lands as it was opened`, async () => {
      const { server, content, code, file } = await sendChanging(each)
      assert.equal(code, 0, JSON.stringify(file))
      assert.ok((await server.read('a.csv')).body.equals(content))
    })
  }

  test('is edited where it was not read yet, with its old time, lands as it is in the end', async () => {
    const { server, content, code } = await sendChanging({ what: '', change: path => editUnseen(path, SIZE - 1) })
    assert.equal(code, 0)
    assert.ok((await server.read('a.csv')).body.equals(Buffer.concat([content.subarray(0, -1), Buffer.from('~')])))
  })
})

test('a file that its file system loses fails, and no other one', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(SIZE, 'a,b\n'), 'b.csv': 'a,b\n' })
  const env = { ...server.env, DATA_DIR, CSV_CHECK: 'off', NODE_OPTIONS: preload('stale-file') }
  const { code, stdout, ends } = await runJson(env)
  assert.equal(code, 1, stdout)
  assert.deepEqual(ends, ['a.csv unreadable', 'b.csv uploaded'])
})
