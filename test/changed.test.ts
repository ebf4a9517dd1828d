/** A file that changes while it is sent: nothing of it lands, whatever the change hides. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { toBase64 } from '../src/checksum'
import { type Kind, kindOf } from './support/faults'
import { reportedFiles, runProgram } from './support/program'
import { refuse, startServer, type TestServer } from './support/s3-server'
import { makeTempFolder } from './support/temp-folder'

const MIB = 1024 * 1024
/** In whole seconds, so that it can be set again to the nanosecond. */
const TIME = 1_000_000_000

/** In place, with the old size and time. */
function editUnseen(path: string, offset: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, '~', offset)
  closeSync(file)
  utimesSync(path, TIME, TIME)
}

const CHANGES: readonly (readonly [what: string, change: (path: string) => void])[] = [
  ['grows', path => appendFileSync(path, '~')],
  ['shrinks', path => truncateSync(path, statSync(path).size - 1)],
  ['is edited in place, at its end, with its old time', path => editUnseen(path, statSync(path).size - 1)],
  ['is removed', path => rmSync(path)],
  [
    'is replaced by another of its size and time',
    path => {
      writeFileSync(`${path}.new`, Buffer.alloc(statSync(path).size, '~'))
      utimesSync(`${path}.new`, TIME, TIME)
      renameSync(`${path}.new`, path)
    },
  ],
]

/**
 * Has the server compare the parts that `isCompared` holds for with the checksum that comes with them, and give that back;
 * it does not know such itself.
 */
function compareParts(server: TestServer, isCompared: (url: string) => boolean): void {
  server.breakWith = request => {
    if (kindOf(request) !== 'UploadPart' || !isCompared(request.url)) return undefined
    return async ({ receive, response, forward }) => {
      const seen = await receive()
      if (seen === undefined) return
      await server.meddle(seen, response)
      const checksum = toBase64(crc32(seen.body))
      if (seen.headers['x-amz-checksum-crc32'] !== checksum) return refuse(response, 400, 'BadDigest')
      const { status, headers, body } = await forward(seen, seen.body)
      response.writeHead(status, { ...headers, 'x-amz-checksum-crc32': checksum }).end(body)
    }
  }
}

const SIZES: readonly (readonly [what: string, bytes: number, until: Kind, (server: TestServer) => void])[] = [
  ['small', 20, 'ListObjectsV2', () => {}],
  ['multipart', 16 * MIB + 1, 'UploadPart', () => {}],
  ['multipart to a server that compares parts', 16 * MIB + 1, 'UploadPart', server => compareParts(server, () => true)],
  [
    'multipart to a server that compares some parts',
    16 * MIB + 1,
    'UploadPart',
    server => compareParts(server, url => !url.includes('partNumber=3&')),
  ],
]

describe('a file that changes', { concurrency: 4 }, () => {
  for (const [size, bytes, until, prepare] of SIZES) {
    for (const [what, change] of CHANGES) {
      test(`${size}: ${what}`, async () => {
        const server = await startServer()
        const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(bytes, 'a,b\n') })
        const path = join(DATA_DIR, 'a.csv')
        utimesSync(path, TIME, TIME)
        let isChanged = false
        prepare(server)
        server.meddle = seen => {
          // Of a multipart upload the first part is on its way then, and no other one is read yet.
          if (kindOf(seen) === until && !isChanged) {
            isChanged = true
            change(path)
          }
          return seen.body
        }
        const env = { ...server.env, DATA_DIR, CONCURRENCY: '1', CSV_CHECK: 'off' }
        const { code, stdout } = await runProgram(env, { args: ['--json'] })
        const [file] = reportedFiles(stdout)
        assert.equal(code, 1)
        const expected = what === 'is removed' && size === 'small' ? 'unreadable' : 'changed_while_reading'
        assert.equal(file?.error?.code, expected)
        assert.deepEqual(await server.keys(), [])
        const begun = server.seen.filter(seen => kindOf(seen) === 'CreateMultipartUpload').length
        assert.equal(server.seen.filter(seen => kindOf(seen) === 'AbortMultipartUpload').length, begun)
        // Nothing is sent once more in vain.
        assert.ok(begun <= 1)
      })
    }
  }

  test('multipart: an edit of a part that was sent lands the file as it was read, not a mixture', async () => {
    const server = await startServer()
    const content = Buffer.alloc(16 * MIB + 1, 'a,b\n')
    const DATA_DIR = makeTempFolder({ 'a.csv': content })
    const path = join(DATA_DIR, 'a.csv')
    utimesSync(path, TIME, TIME)
    server.meddle = seen => {
      if (seen.url.includes('partNumber=2')) editUnseen(path, 0)
      return seen.body
    }
    const env = { ...server.env, DATA_DIR, CONCURRENCY: '1', KEY_LAYOUT: '{file}' }
    const { code, stderr } = await runProgram(env)
    assert.equal(code, 0, stderr)
    assert.ok((await server.read('a.csv')).body.equals(content))
  })
})
