/** What is tried again, how often, and what is not. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { AdaptiveRetryStrategy } from '@smithy/core/retry'
import type { FileReport } from '../../src/report/file-report'
import { connect, type S3Options } from '../../src/s3/connect'
import { breakFirst, FAULTS, type Kind, kindOf } from '../support/faults'
import { CREDENTIALS, FAST_CLOCK, NO_CREDENTIALS, preload, runJson, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder, numberedFiles } from '../support/temp-folder'

const MIB = 1024 * 1024

const countOf = ({ seen }: TestServer, kind: Kind) => seen.filter(request => kindOf(request) === kind).length
const endOf = ({ outcome, error }: FileReport) => error?.code ?? outcome
const numbered = (count: number) => makeTempFolder(numberedFiles(count))

/** Refuses the first requests of `kind`, so many `times`. */
function refuseFirst(server: TestServer, times: number, kind: Kind, ...refusal: Refusal): void {
  let left = times
  server.meddle = (seen, response) => (kindOf(seen) === kind && left-- > 0 ? refuse(response, ...refusal) : seen.body)
}

type Refusal = readonly [status: number, code: string, headers?: Record<string, string>, message?: string]

describe('retries', { concurrency: 4 }, () => {
  test('a server that keeps failing is asked seven times for the listing and for the bucket, and no more', async () => {
    const server = await startServer()
    server.meddle = (_, response) => refuse(response, 500, 'InternalError')
    const { code } = await runProgram({ ...server.env, ...FAST_CLOCK, DATA_DIR: numbered(1) })
    assert.equal(code, 6)
    assert.deepEqual(server.seen.map(kindOf), [...Array(7).fill('ListObjectsV2'), ...Array(7).fill('HeadBucket')])
  })

  for (const [inFlight, failures] of [
    [16, 5],
    [64, 3],
  ] as const) {
    test(`an outage in which ${inFlight} requests in flight fail ${failures} times each fails no file`, async () => {
      const server = await startServer()
      const left = new Map<string, number>()
      server.meddle = (seen, response) => {
        if (kindOf(seen) !== 'PutObject') return seen.body
        const times = left.get(seen.url) ?? failures
        left.set(seen.url, times - 1)
        return times > 0 ? refuse(response, 503, 'ServiceUnavailable') : seen.body
      }
      const files = { DATA_DIR: numbered(inFlight), CONCURRENCY: String(inFlight) }
      const { code, stdout } = await runProgram({ ...server.env, ...FAST_CLOCK, ...files })
      assert.equal(code, 0, stdout)
      assert.ok(countOf(server, 'PutObject') >= inFlight * (failures + 1))
    })
  }

  test('a server that stays away ends the run soon: no more repeats than for all requests in flight once', async () => {
    const server = await startServer()
    server.meddle = (seen, response) =>
      kindOf(seen) === 'PutObject' ? refuse(response, 500, 'InternalError') : seen.body
    const { code } = await runProgram({ ...server.env, ...FAST_CLOCK, DATA_DIR: numbered(60), CONCURRENCY: '8' })
    assert.equal(code, 6)
    const repeats = countOf(server, 'PutObject') - 60
    assert.ok(repeats > 35 && repeats <= 8 * 6 + 1, `${repeats} repeats`)
  })

  test('a retry is told before its pause: why, which attempt, and how long', async () => {
    const server = await startServer()
    refuseFirst(server, 2, 'PutObject', 503, 'SlowDown')
    const { code, events, file } = await runJson({ ...server.env, ...FAST_CLOCK, DATA_DIR: numbered(1) })
    assert.deepEqual([code, file?.requests], [0, 3])
    const retries = events.filter(({ event }) => event === 'retry')
    assert.deepEqual(
      retries.map(({ reason, status, attempt, attempts }) => [reason, status, attempt, attempts]),
      [
        ['SlowDown', 503, 1, 7],
        ['SlowDown', 503, 2, 7],
      ],
    )
    assert.ok(retries.every(({ seconds }) => typeof seconds === 'number' && seconds <= 4))
  })

  test('Retry-After is waited for', async () => {
    const server = await startServer()
    const arrivals: number[] = []
    server.meddle = (seen, response) => {
      if (kindOf(seen) !== 'PutObject') return seen.body
      arrivals.push(performance.now())
      return arrivals.length === 1 ? refuse(response, 503, 'SlowDown', { 'retry-after': '2' }) : seen.body
    }
    const { code } = await runProgram({ ...server.env, DATA_DIR: numbered(1) })
    assert.equal(code, 0)
    const [first = 0, second = 0] = arrivals
    // Without the header the first pause is a second at most.
    assert.ok(second - first >= 1900, `${second - first} ms`)
  })

  test('what is throttled slows the whole run: the strategy is adaptive', async () => {
    const config = {
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      bucket: 'test-lake',
      concurrency: 1,
      network: { noProxy: '' },
    }
    const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
    const { client } = await connect({ ...config, credentials } as S3Options, new AbortController().signal, () => {}, 1)
    assert.ok((await client.config.retryStrategy()) instanceof AdaptiveRetryStrategy)
    client.destroy()
  })

  for (const [status, reason, expected] of [
    [400, 'InvalidArgument', 1],
    [400, 'KeyTooLongError', 1],
    [403, 'AccessDenied', 4],
    [403, 'InvalidAccessKeyId', 3],
    [400, 'ExpiredToken', 3],
    [405, 'MethodNotAllowed', 1],
    [409, 'InvalidBucketState', 1],
    // Without a condition it says nothing of what the key holds.
    [412, 'PreconditionFailed', 1],
  ] as const) {
    test(`${reason} is for good: it is not tried again, exit ${expected}`, async () => {
      const server = await startServer()
      refuseFirst(server, Infinity, 'PutObject', status, reason)
      const { code, file } = await runJson({ ...server.env, DATA_DIR: numbered(1) })
      assert.equal(code, expected)
      assert.equal(countOf(server, 'PutObject'), 1)
      assert.equal(file?.error?.retryable, false)
    })
  }

  for (const hours of [-2, 2]) {
    test(`a clock that is ${hours} h off is corrected by the server's`, async () => {
      const server = await startServer()
      const { code, stderr } = await runProgram({
        ...server.env,
        CLOCK_OFF_MS: String(hours * 3_600_000),
        NODE_OPTIONS: preload('fast-clock', 'wrong-clock'),
        DATA_DIR: numbered(2),
      })
      assert.equal(code, 0, stderr)
      assert.equal((await server.keys()).length, 2)
    })

    test(`a clock that is ${hours} h off from the first upload on is corrected by the server's`, async () => {
      const server = await startServer()
      await server.createBucket()
      const off = hours * 3_600_000
      server.meddle = async (seen, response) => {
        if (seen.method === 'PUT') {
          // Both are signed before one is refused.
          while (countOf(server, 'PutObject') < 2) await new Promise(setImmediate)
          return seen.body
        }
        // Until then the two clocks agree.
        response.writeHead(200, { date: new Date(Date.now() + off).toUTCString() })
        response.end(seen.method === 'HEAD' ? undefined : '<ListBucketResult></ListBucketResult>')
        return undefined
      }
      const clock = { CLOCK_OFF_MS: String(off), NODE_OPTIONS: preload('fast-clock', 'wrong-clock') }
      const { code, stderr } = await runProgram({ ...server.env, ...clock, DATA_DIR: numbered(2) })
      assert.equal(code, 0, stderr)
      assert.equal((await server.keys()).length, 2)
      assert.equal(countOf(server, 'PutObject'), 4)
    })
  }

  for (const [times, expected] of [
    [3, 0],
    [1000, 6],
  ] as const) {
    test(`a name that does not resolve ${times} times: exit ${expected}`, async () => {
      const server = await startServer()
      const { port } = new URL(server.env.AWS_ENDPOINT_URL)
      const { code, stderr } = await runProgram({
        ...server.env,
        AWS_ENDPOINT_URL: `http://localhost:${port}`,
        DNS_OUTAGE: String(times),
        NODE_OPTIONS: preload('fast-clock', 'dns-outage'),
        DATA_DIR: numbered(1),
      })
      assert.equal(code, expected, stderr)
      if (expected === 6) assert.match(stderr, /Check the endpoint, the region and the network: the name does not/)
    })
  }

  test('a server that does not take connections any more is given up: exit 6', async () => {
    const script = `require('net').createServer().listen(0, '127.0.0.1', 1, function () {
      console.log(this.address().port)
      process.kill(process.pid, 'SIGSTOP')
    })`
    const stopped = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const port = Number((await once(stopped.stdout, 'data'))[0])
    // The system takes two connections for it; further ones get no answer.
    const others = Array.from({ length: 4 }, () => createConnection(port, '127.0.0.1').on('error', () => {}))
    await Promise.all(others.slice(0, 2).map(other => once(other, 'connect')))
    try {
      const env = { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, BUCKET_NAME: 'test-lake', DATA_DIR: numbered(1) }
      const { code, stderr } = await runProgram({ ...env, ...FAST_CLOCK })
      assert.equal(code, 6)
      assert.match(stderr, /did not establish a connection .* Check that the endpoint is right and answers/)
    } finally {
      for (const other of others) other.destroy()
      stopped.kill('SIGKILL')
    }
  })

  test('a token that expires midway: exit 3, what had landed is reported, and the rest is not tried', async () => {
    const server = await startServer()
    server.meddle = (seen, response) =>
      countOf(server, 'PutObject') > 2 ? refuse(response, 400, 'ExpiredToken') : seen.body
    const { code, files } = await runJson({ ...server.env, DATA_DIR: numbered(6), CONCURRENCY: '1' })
    assert.equal(code, 3)
    assert.deepEqual(files.map(endOf), ['uploaded', 'uploaded', ...Array(4).fill('credentials')])
    assert.equal(countOf(server, 'PutObject'), 3)
    assert.equal((await server.keys()).length, 2)
  })

  test('credentials that cannot be renewed midway: exit 3, and what had landed is reported', async () => {
    const server = await startServer()
    const folder = makeTempFolder({
      // Gives credentials that are due for renewal at once, then some for a second, then none.
      'give.js': `
        const { existsSync, writeFileSync } = require('node:fs')
        const [, , folder] = process.argv
        if (existsSync(folder + '/last')) throw new Error('the session is over')
        const isLast = existsSync(folder + '/end')
        const Expiration = new Date(Date.now() + (isLast ? 1000 : 60_000)).toISOString()
        if (isLast) writeFileSync(folder + '/last', Expiration)
        const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey } = ${JSON.stringify(CREDENTIALS)}
        console.log(JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, Expiration }))`,
    })
    const last = join(folder, 'last')
    writeFileSync(
      join(folder, 'config'),
      `[profile lake]\ncredential_process = "${process.execPath}" ${folder}/give.js ${folder}\n`,
    )
    server.meddle = async ({ url, body }) => {
      if (url.includes('f1.csv')) writeFileSync(join(folder, 'end'), '')
      if (url.includes('f2.csv')) {
        while (!existsSync(last) || Date.now() <= Date.parse(readFileSync(last, 'utf8'))) await pause(10)
      }
      return body
    }
    const profile = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_PROFILE: 'lake' }
    const { code, stdout, stderr, files } = await runJson({
      ...server.env,
      ...NO_CREDENTIALS,
      ...profile,
      DATA_DIR: numbered(50),
      CONCURRENCY: '1',
    })
    assert.equal(code, 3, `${stdout}${stderr}`)
    const outcomes = files.map(endOf)
    const landed = outcomes.filter(outcome => outcome === 'uploaded').length
    assert.ok(landed >= 3, `${landed} landed`)
    assert.deepEqual(outcomes, [...Array(landed).fill('uploaded'), ...Array(50 - landed).fill('credentials')])
    assert.equal((await server.keys()).length, landed)
  })

  test('a bucket that this run created is waited for where a machine does not know it yet', async () => {
    const server = await startServer()
    refuseFirst(server, 2, 'PutObject', 404, 'NoSuchBucket')
    const { code, stderr } = await runProgram({ ...server.env, ...FAST_CLOCK, DATA_DIR: numbered(1) })
    assert.equal(code, 0, stderr)
  })

  test('a bucket that was there and is gone is not waited for: exit 4', async () => {
    const server = await startServer()
    await server.createBucket()
    refuseFirst(server, Infinity, 'PutObject', 404, 'NoSuchBucket')
    const { code } = await runProgram({ ...server.env, DATA_DIR: numbered(1) })
    assert.equal(code, 4)
    assert.equal(countOf(server, 'PutObject'), 1)
  })

  for (const [times, expected] of [
    [1, 0],
    [Infinity, 1],
  ] as const) {
    test(`an upload that disappears ${times === 1 ? 'once' : 'again'} is started over once: exit ${expected}`, async () => {
      const server = await startServer()
      let left: number = times
      const isSecondPart = ({ url }: SeenRequest) => url.includes('partNumber=2')
      server.meddle = (seen, response) =>
        isSecondPart(seen) && left-- > 0 ? refuse(response, 404, 'NoSuchUpload') : seen.body
      const DATA_DIR = makeTempFolder({ 'large.csv': Buffer.alloc(8 * MIB + 1, 'a,b\n') })
      const { code } = await runProgram({ ...server.env, DATA_DIR, CSV_CHECK: 'off' })
      assert.equal(code, expected)
      assert.equal(countOf(server, 'CreateMultipartUpload'), 2)
      assert.equal((await server.keys()).length, expected === 0 ? 1 : 0)
    })
  }

  for (const kind of ['PutObject', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    test(`${kind} that says 200 and then fails is tried again`, async () => {
      const server = await startServer()
      refuseFirst(server, 1, kind, 200, 'InternalError')
      const files = { 'a.csv': Buffer.alloc(kind === 'PutObject' ? 9 : 9 * MIB, 'a,b\n') }
      const { code, stderr } = await runProgram({ ...server.env, ...FAST_CLOCK, DATA_DIR: makeTempFolder(files) })
      assert.equal(code, 0, stderr)
      assert.equal(countOf(server, kind), kind === 'UploadPart' ? 3 : 2)
      assert.equal((await server.keys()).length, 1)
    })
  }

  test('a Complete whose answer was lost is not sent twice: what stands there is compared', async () => {
    const server = await startServer()
    const loseFirst = breakFirst(FAULTS['a lost answer'], 1)
    server.breakWith = request => (kindOf(request) === 'CompleteMultipartUpload' ? loseFirst : undefined)
    const DATA_DIR = makeTempFolder({ 'large.csv': Buffer.alloc(8 * MIB + 1, 'a,b\n') })
    const { code } = await runProgram({ ...server.env, DATA_DIR, CSV_CHECK: 'off' })
    assert.equal(code, 0)
    assert.equal(countOf(server, 'CreateMultipartUpload'), 1)
    assert.equal(countOf(server, 'UploadPart'), 2)
  })

  test('a body that a server says was damaged on its way is sent again, with its checksum', async () => {
    const server = await startServer()
    const says = 'The CRC32 you specified did not match the calculated checksum.'
    refuseFirst(server, 2, 'PutObject', 400, 'BadDigest', {}, says)
    const { code, stderr } = await runProgram({ ...server.env, ...FAST_CLOCK, DATA_DIR: numbered(1) })
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(stderr, /refuses checksums/)
    for (const seen of server.seen.filter(seen => kindOf(seen) === 'PutObject')) {
      assert.ok(seen.headers['x-amz-checksum-crc32'] !== undefined)
    }
  })

  test('a server that knows no checksums gets none after the first refusal, which is said once, and MD5s prove the content', async () => {
    const server = await startServer()
    server.meddle = (seen, response) => {
      if (seen.headers['x-amz-checksum-crc32'] !== undefined) return refuse(response, 501, 'NotImplemented')
      const isLast = seen.url.includes('f5.csv') && seen.method === 'PUT'
      return isLast ? Buffer.from(seen.body).fill('x', 0, 1) : seen.body
    }
    const { code, files } = await runJson({ ...server.env, ...FAST_CLOCK, DATA_DIR: numbered(6), CONCURRENCY: '1' })
    assert.equal(code, 1)
    const puts = server.seen.filter(seen => kindOf(seen) === 'PutObject')
    assert.equal(puts.filter(({ headers }) => headers['x-amz-checksum-crc32'] !== undefined).length, 1)
    for (const { headers, body } of puts) {
      assert.equal(headers['x-amz-content-sha256'], createHash('sha256').update(body).digest('hex'))
    }
    assert.equal(files.flatMap(({ warnings }) => warnings).filter(each => each.includes('refuses checksums')).length, 1)
    assert.deepEqual(files.map(endOf), [...Array(5).fill('uploaded'), 'verify_mismatch'])
  })
})
