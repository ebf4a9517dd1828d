/** A file that changes while it is sent: nothing of it lands, whatever the change hides. */
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
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { toBase64 } from '../../src/lib/crc32'
import { editUnseen, TIME } from '../support/edit-unseen'
import { type Kind, kindOf } from '../support/faults'
import { preload, reportedFiles, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024

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

/** What a server in front of the tests' one does with a part: answers it, or stores it and gives a checksum of it back. */
type Comparison = (seen: SeenRequest, response: ServerResponse) => string | undefined

const crc32Of = ({ body }: SeenRequest) => toBase64(crc32(body))
const isSame = (seen: SeenRequest) => seen.headers['x-amz-checksum-crc32'] === crc32Of(seen)

/** Refuses a part that has not the checksum that it came with. */
const refuseOther =
  (code: string, message?: string): Comparison =>
  (seen, response) =>
    isSame(seen) ? crc32Of(seen) : void refuse(response, 400, code, {}, message)

/** The server does not know checksums itself. */
function compareParts(server: TestServer, compare: Comparison): void {
  server.breakWith = request => {
    if (kindOf(request) !== 'UploadPart') return undefined
    return async ({ receive, response, forward }) => {
      const seen = await receive()
      if (seen === undefined) return
      await server.meddle(seen, response)
      const checksum = compare(seen, response)
      if (response.headersSent) return
      const { status, headers, body } = await forward(seen, seen.body)
      const given = checksum === undefined ? {} : { 'x-amz-checksum-crc32': checksum }
      response.writeHead(status, { ...headers, ...given }).end(body)
    }
  }
}

/** What servers do, and what shows an edit that keeps size and time: them, where the file system does not. */
const COMPARISONS: readonly (readonly [what: string, compare: Comparison])[] = [
  ['compares parts', refuseOther('BadDigest')],
  // As Garage has it.
  ['has its own name for it', refuseOther('InvalidDigest', 'Failed to validate checksum for algorithm Crc32')],
  ['has no name for it', refuseOther('InvalidRequest')],
  ['only says what it stored', crc32Of],
  ['gives none back of the last part', seen => (seen.url.includes('partNumber=3&') ? undefined : crc32Of(seen))],
]

/** Gives back what came, whatever it stores. */
const echo: Comparison = seen => String(seen.headers['x-amz-checksum-crc32'])

const LARGE = 16 * MIB + 1
const NO_CHANGE_TIMES = { NODE_OPTIONS: preload('no-change-times') }

interface Case {
  readonly size: string
  readonly bytes: number
  /** What it changes during. */
  readonly until: Kind
  readonly compare?: Comparison
  readonly env?: Readonly<Record<string, string>>
}

const CASES: readonly Case[] = [
  { size: 'small', bytes: 20, until: 'ListObjectsV2' },
  { size: 'multipart', bytes: LARGE, until: 'UploadPart' },
  { size: 'multipart to a server that compares nothing', bytes: LARGE, until: 'UploadPart', compare: echo },
  ...COMPARISONS.map(([what, compare]) => ({
    size: `multipart to a server that ${what}, without change times`,
    bytes: LARGE,
    until: 'UploadPart' as const,
    compare,
    env: NO_CHANGE_TIMES,
  })),
]

describe('a file that changes', { concurrency: 4 }, () => {
  for (const { size, bytes, until, compare, env: extra } of CASES) {
    for (const [what, change] of CHANGES) {
      test(`${size}: ${what}`, async () => {
        const server = await startServer()
        const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(bytes, 'a,b\n') })
        const path = join(DATA_DIR, 'a.csv')
        utimesSync(path, TIME, TIME)
        let isChanged = false
        if (compare !== undefined) compareParts(server, compare)
        server.meddle = seen => {
          // Of a multipart upload the first part is on its way then, and no other one is read yet.
          if (kindOf(seen) === until && !isChanged) {
            isChanged = true
            change(path)
          }
          return seen.body
        }
        const env = { ...server.env, ...extra, DATA_DIR, CONCURRENCY: '1', CSV_CHECK: 'off' }
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
        // What the file system says nothing of is left to the server.
        const isSent = server.seen.some(({ url }) => url.includes('partNumber=3&'))
        if (what.startsWith('is edited')) assert.equal(isSent, extra !== undefined)
      })
    }
  }

  test('multipart: new rights and links are no change', async () => {
    const server = await startServer()
    const content = Buffer.alloc(LARGE, 'a,b\n')
    const DATA_DIR = makeTempFolder({ 'a.csv': content })
    const path = join(DATA_DIR, 'a.csv')
    compareParts(server, refuseOther('BadDigest'))
    server.meddle = seen => {
      if (seen.url.includes('partNumber=1&')) {
        chmodSync(path, 0o640)
        linkSync(path, join(makeTempFolder(), 'b.csv'))
      }
      return seen.body
    }
    const env = { ...server.env, DATA_DIR, CONCURRENCY: '1', KEY_LAYOUT: '{file}' }
    const { code, stderr } = await runProgram(env)
    assert.equal(code, 0, stderr)
    assert.ok((await server.read('a.csv')).body.equals(content))
  })

  test('multipart: a file that its file system loses fails, and no other one', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': Buffer.alloc(LARGE, 'a,b\n'), 'b.csv': 'a,b\n' })
    const env = { ...server.env, DATA_DIR, CSV_CHECK: 'off', NODE_OPTIONS: preload('stale-file') }
    const { code, stdout } = await runProgram(env, { args: ['--json'] })
    assert.equal(code, 1, stdout)
    const outcomes = reportedFiles(stdout).map(({ file, outcome, error }) => [file, error?.code ?? outcome])
    assert.deepEqual(outcomes, [
      ['a.csv', 'unreadable'],
      ['b.csv', 'uploaded'],
    ])
  })

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
