/** What must not be printed, though a server or a file name says it: secrets, signatures, control characters. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Kind, kindOf } from '../support/faults'
import { CREDENTIALS, runJson, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const { AWS_SECRET_ACCESS_KEY: SECRET, AWS_SESSION_TOKEN: TOKEN } = CREDENTIALS

/** All that a server can repeat, and what it cannot know. */
const repeat = ({ headers }: SeenRequest) =>
  [SECRET, TOKEN, encodeURIComponent(SECRET), encodeURIComponent(TOKEN), headers.authorization].join(' ')

describe('secrets', { concurrency: 4 }, () => {
  for (const kind of [
    'ListObjectsV2',
    'CreateBucket',
    'PutObject',
    'CreateMultipartUpload',
  ] as const satisfies Kind[]) {
    for (const where of ['message', 'code'] as const) {
      for (const format of kind === 'PutObject' ? (['text', 'json'] as const) : (['text'] as const)) {
        // That none was printed, every run of the program is looked at.
        test(`a server that repeats them as the ${where} of an error of ${kind}, DEBUG, ${format}`, async () => {
          const server = await startServer()
          let isRefused = false
          server.meddle = (seen, response) => {
            if (kindOf(seen) !== kind) return seen.body
            isRefused = true
            const text = repeat(seen)
            return where === 'code'
              ? refuse(response, 400, text, {}, 'no')
              : refuse(response, 400, 'InvalidRequest', {}, text)
          }
          const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'b.csv': Buffer.alloc(8 * 1024 * 1024 + 1, 'a,b\n') })
          const env = { ...server.env, DATA_DIR, DEBUG: '1', LOG_FORMAT: format }
          const { stdout, stderr } = await runProgram(env)
          const printed = stdout + stderr
          assert.ok(isRefused)
          // A refused listing is done without, and says nothing; what CreateBucket says is not repeated but for the code.
          const isShown =
            kind === 'PutObject' || kind === 'CreateMultipartUpload' || (kind === 'CreateBucket' && where === 'code')
          assert.equal(printed.includes('[secret]'), isShown, printed)
        })
      }
    }
  }

  for (const format of ['text', 'json'] as const) {
    test(`control characters from a file name and from a server do not reach the terminal: ${format}`, async () => {
      const server = await startServer()
      server.meddle = (seen, response) =>
        kindOf(seen) === 'PutObject'
          ? refuse(response, 400, 'InvalidRequest', {}, 'no \u001b]0;title\u0007\u001b[2J &#27;[31m\u202e\r way')
          : seen.body
      const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'b\u001b[2J\n\u009b1m.csv': 'b\n', 'c\u0007.txt': '' })
      const { code, stdout, stderr } = await runProgram({ ...server.env, DATA_DIR, LOG_FORMAT: format })
      assert.equal(code, 1)
      assert.match(stdout + stderr, /InvalidRequest/)
      assert.doesNotMatch(stdout + stderr, /(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
    })
  }

  test('a link that leaves the folder, a device and a socket named .csv are passed over by name', async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
    symlinkSync('/etc/hostname', join(DATA_DIR, 'link.csv'))
    const device = join(makeTempFolder(), 'zero.csv')
    symlinkSync('/dev/zero', device)
    const socket = createServer().listen(join(DATA_DIR, 'socket.csv'))
    await once(socket, 'listening')
    const { code, events, files } = await runJson(server.env, { args: [DATA_DIR, device] })
    socket.close()
    assert.equal(code, 0)
    assert.deepEqual(events[0]?.['passedOver'], [
      'link.csv (symbolic link out of the folder)',
      'socket.csv (not a regular file)',
      `${device} (not a regular file)`,
    ])
    assert.deepEqual(
      files.map(({ file }) => file),
      ['a.csv'],
    )
  })
})
