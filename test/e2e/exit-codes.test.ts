/** Each exit code, and which one wins, through the real program. Signals: stop.test.ts. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { kindOf } from '../support/faults'
import { FAST_CLOCK, NO_CREDENTIALS, runJson } from '../support/program'
import { refuse, startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const DEAD = { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', ...FAST_CLOCK }
const CLEAN = 'id,title\n1,Alien\n'
const RAGGED = 'id,title\n1\n'

interface Situation {
  readonly code: number
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly files?: Readonly<Record<string, string>>
  /** PutObject of a file is refused with this. */
  readonly refused?: Readonly<Record<string, string>>
  /** Files that are gone when they are to be sent. */
  readonly gone?: readonly string[]
}

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'all landed': { code: 0 },
  'a file failed for a reason of its own': { code: 1, refused: { 'a.csv': 'InvalidRequest' } },
  'no bucket': { code: 2, env: { BUCKET_NAME: '' } },
  'no file': { code: 2, files: { 'a.txt': '' } },
  'no credentials': { code: 3, env: NO_CREDENTIALS },
  'all files are refused the credentials': { code: 3, refused: { 'a.csv': 'ExpiredToken' } },
  'the bucket is not to be created': { code: 4, env: { CREATE_BUCKET: 'false' } },
  'all files are denied': { code: 4, refused: { 'a.csv': 'AccessDenied' } },
  'a file with a fault, strict': { code: 5, env: { CSV_CHECK: 'strict' }, files: { 'a.csv': RAGGED } },
  'a dead endpoint': { code: 6, env: DEAD },

  '2 before 3: no bucket, no credentials': { code: 2, env: { ...NO_CREDENTIALS, BUCKET_NAME: '' } },
  '2 before 3: no file, no credentials': { code: 2, env: NO_CREDENTIALS, files: { 'a.txt': '' } },
  '2 before 5: a collision and a fault': {
    code: 2,
    env: { CSV_CHECK: 'strict', KEY_LAYOUT: 'hive' },
    files: { 'e\u0301.csv': RAGGED, '\u00e9.csv': RAGGED },
  },
  '2 before 6: no file, a dead endpoint': { code: 2, env: DEAD, files: { 'a.txt': '' } },
  '3 before 6: no credentials, a dead endpoint': { code: 3, env: { ...DEAD, ...NO_CREDENTIALS } },
  '5 before 1: a fault, and a file that cannot have a key': {
    code: 5,
    env: { CSV_CHECK: 'strict' },
    files: { 'a.csv': RAGGED, '--.csv': CLEAN },
  },
  '1 for several reasons: denied, and a file that is gone': {
    code: 1,
    files: { 'a.csv': CLEAN, 'b.csv': CLEAN },
    refused: { 'a.csv': 'AccessDenied' },
    gone: ['b.csv'],
  },
  '3 though others landed': {
    code: 3,
    files: { 'a.csv': CLEAN, 'b.csv': CLEAN },
    env: { CONCURRENCY: '1' },
    refused: { 'b.csv': 'InvalidToken' },
  },
}

function prepare(server: TestServer, DATA_DIR: string, { refused = {}, gone = [] }: Situation): void {
  server.meddle = (seen, response) => {
    if (kindOf(seen) === 'ListObjectsV2') for (const name of gone) rmSync(join(DATA_DIR, name), { force: true })
    const reason = kindOf(seen) === 'PutObject' ? refused[seen.url.replace(/^.*\/|\?.*$/g, '')] : undefined
    return reason === undefined ? seen.body : refuse(response, reason === 'AccessDenied' ? 403 : 400, reason)
  }
}

describe('exit codes', { concurrency: 4 }, () => {
  for (const [what, situation] of Object.entries(SITUATIONS)) {
    test(`${situation.code}: ${what}`, async () => {
      const server = await startServer()
      const DATA_DIR = makeTempFolder(situation.files ?? { 'a.csv': CLEAN })
      prepare(server, DATA_DIR, situation)
      const { code, stdout, stderr, summary } = await runJson({ ...server.env, ...situation.env, DATA_DIR })
      assert.equal(code, situation.code, stdout + stderr)
      assert.equal(summary['exitCode'], situation.code)
      if (situation.code === 6) assert.equal((summary['error'] as { retryable: boolean }).retryable, true)
      if ([2, 5].includes(situation.code)) assert.deepEqual(await server.keys().catch(() => []), [])
    })
  }
})
