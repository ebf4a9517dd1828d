/** Servers and middle boxes that are not AWS: the run ends right, says why, and nothing counts as landed that is not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { kindOf } from '../support/faults'
import { FAST_CLOCK, parseEvents, reportedFiles, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import * as quirks from '../support/quirks'
import { startServer, type TestServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MIB = 1024 * 1024
const PART = 8 * MIB
const JSON_OUTPUT = { args: ['--json'] }
const KEY = 'raw/a.csv'
const OTHER = Buffer.from('other content\n')
const SMALL = Buffer.from('id\n1\n')
const LARGE = randomBytes(PART + 1)
const SIZES = { small: SMALL, large: LARGE } as const

/** What no message may hold: what the SDK's parser says, and what says nothing. */
const GIBBERISH = /Unknown|parse error|mismatched|deserialization|\bError \(|undefined/i

const isContent = (seen: SeenRequest) => ['PutObject', 'UploadPart'].includes(kindOf(seen))
const contentOf = (server: TestServer) => server.seen.filter(isContent)

type Files = Readonly<Record<string, string | Buffer>>

async function prepare(files: Files, ...of: readonly ((server: TestServer) => void)[]) {
  const server = await startServer()
  await server.createBucket()
  for (const apply of of) apply(server)
  return { server, env: { ...server.env, DATA_DIR: makeTempFolder(files), KEY_LAYOUT: 'raw/{file}', CSV_CHECK: 'off' } }
}

/** The run with `--json`: its exit code, its files, all warnings, and all that it printed. */
async function run(
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly uid?: number; readonly cwd?: string } = {},
) {
  const { code, stdout, stderr } = await runProgram(env, { ...JSON_OUTPUT, ...options })
  const summary = parseEvents(stdout).at(-1)
  const files = summary?.['files'] === undefined ? [] : reportedFiles(stdout)
  const shared = parseEvents(stdout).flatMap(event => (event['event'] === 'bucket' ? (event['warnings'] ?? []) : []))
  const warnings = [...files.flatMap(file => file.warnings), ...(shared as string[])]
  return { code, files, summary, warnings, said: `${stdout}${stderr}` }
}

const outcomesOf = (files: Awaited<ReturnType<typeof run>>['files']) => files.map(({ outcome }) => outcome)

describe('listings that are not complete', () => {
  const names = Array.from({ length: 5 }, (_, index) => `f${index}.csv`)

  for (const [what, quirk] of [
    ['a token that repeats', quirks.lists(keys => ({ keys: keys.slice(0, 2), isTruncated: true, token: 'same' }))],
    [
      'pages that repeat under other tokens',
      quirks.lists((keys, query) => ({
        keys: keys.slice(0, 2),
        isTruncated: true,
        token: `${query.get('continuation-token') ?? ''}x`,
      })),
    ],
  ] as const) {
    test(`${what}: ON_CONFLICT=keep writes over nothing`, async () => {
      const { server, env } = await prepare(Object.fromEntries(names.map(name => [name, `mine ${name}\n`])), quirk)
      for (const name of names) await server.write(`raw/${name}`, OTHER)
      const { code, files } = await run({ ...env, ON_CONFLICT: 'keep' })
      assert.equal(code, 0)
      assert.deepEqual(outcomesOf(files), Array(5).fill('kept'))
      assert.deepEqual(contentOf(server), [])
      assert.ok(server.seen.filter(seen => kindOf(seen) === 'ListObjectsV2').length <= 5)
      for (const name of names) assert.ok((await server.read(`raw/${name}`)).body.equals(OTHER))
    })
  }
})

describe('an endpoint that holds the bucket', () => {
  test('a path or a host that merely begins like the bucket is none of it', async () => {
    const { server, env } = await prepare({ 'a.csv': SMALL })
    const url = server.url.replace('127.0.0.1', 'localhost')
    const { code, stderr } = await runProgram({ ...env, AWS_ENDPOINT_URL: url, BUCKET_NAME: 'localhost' })
    assert.equal(code, 0, stderr)
    assert.ok(server.seen.every(seen => seen.url.startsWith('/localhost')))
  })
})

describe('headers that a server does not know', () => {
  for (const [what, quirk] of [
    [
      'R2: 501 to the type of a checksum',
      quirks.refuses(
        quirks.carries('x-amz-checksum-type'),
        501,
        'NotImplemented',
        "Header 'x-amz-checksum-type' with value 'FULL_OBJECT' not implemented",
      ),
    ],
  ] as const) {
    test(`${what}: both files land, it is said once at most, and the next run finds them unchanged`, async () => {
      const { server, env } = await prepare({ 'a.csv': LARGE, 'b.csv': LARGE }, quirk)
      const first = await run(env)
      assert.equal(first.code, 0, first.said)
      assert.deepEqual(outcomesOf(first.files), ['uploaded', 'uploaded'])
      assert.ok(first.warnings.length <= 1, first.warnings.join('\n'))
      assert.doesNotMatch(first.said, /ON_CONFLICT/)
      for (const name of ['a', 'b']) assert.ok((await server.read(`raw/${name}.csv`)).body.equals(LARGE))
      assert.ok(contentOf(server).length <= 2 * 4, `${contentOf(server).length} bodies for 4 parts`)

      server.seen.length = 0
      const second = await run(env)
      assert.equal(second.code, 0, second.said)
      assert.deepEqual(outcomesOf(second.files), ['unchanged', 'unchanged'])
      assert.deepEqual(contentOf(server), [])
    })
  }

  for (const [status, code] of [[501, 'NotImplemented']] as const) {
    for (const [size, content] of [['large', LARGE]] as const) {
      for (const [rule, outcome, exit] of [
        ['keep', 'kept', 0],
        ['fail', 'failed', 1],
      ] as const) {
        const message = 'A header you provided implies functionality that is not implemented: If-None-Match'
        const about = `${status} to If-None-Match, ${size} file, ON_CONFLICT=${rule}`

        test(`${about}: what appears in the meantime is left alone`, async () => {
          const { server, env } = await prepare({ 'a.csv': content })
          const appears = quirks.quirk(quirks.carries('if-none-match'), server => async exchange => {
            await server.write(KEY, OTHER)
            await exchange.receive()
            const xml = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`
            exchange.response.writeHead(status, { 'content-type': 'application/xml' }).end(xml)
          })
          appears(server)
          const { code: ended, files, said } = await run({ ...env, ON_CONFLICT: rule })
          assert.deepEqual([ended, files[0]?.outcome], [exit, outcome], said)
          if (rule === 'fail') assert.equal(files[0]?.error?.code, 'conflict')
          assert.ok((await server.read(KEY)).body.equals(OTHER))
        })
      }
    }
  }

  test('a 412 to a request without a condition is no conflict', async () => {
    const { env } = await prepare(
      { 'a.csv': SMALL },
      quirks.refuses(quirks.isKind('PutObject'), 412, 'PreconditionFailed'),
    )
    const { code, files, said } = await run({ ...env, ...FAST_CLOCK })
    assert.equal(code, 1, said)
    assert.equal(files[0]?.error?.code, 'refused_by_server')
    assert.equal(files[0]?.error?.retryable, false)
    assert.doesNotMatch(said, /ON_CONFLICT/)
  })
})

describe('pages instead of answers', () => {
  for (const kind of ['PutObject', 'UploadPart'] as const) {
    test(`a page with status 200 to a ${kind}: nothing counts as landed`, async () => {
      const content = kind === 'PutObject' ? SMALL : LARGE
      const { server, env } = await prepare({ 'a.csv': content }, quirks.answersWithPage(200, [kind]))
      const { code, files, said } = await run({ ...env, ...FAST_CLOCK })
      assert.ok(code === 1 || code === 6, said)
      assert.equal(files[0]?.outcome, 'failed')
      assert.doesNotMatch(said, GIBBERISH)
      assert.deepEqual(await server.keys(), [])
    })
  }
})

describe('ETags that look like an MD5 and are none', () => {
  for (const [size, content] of Object.entries(SIZES)) {
    test(`a ${size} file that is changed on its way there is not taken for one that landed`, async () => {
      const damage = (body: Buffer) => Buffer.concat([body.subarray(0, -1), body.subarray(-1).map(byte => byte ^ 1)])
      const { env } = await prepare({ 'a.csv': content }, quirks.inventsEtags(damage))
      const { code, files, said } = await run({ ...env, ...FAST_CLOCK })
      assert.equal(code, 1, said)
      assert.equal(files[0]?.outcome, 'failed')
      assert.equal(files[0]?.error?.retryable, true)
    })
  }
})

describe('a completion that takes minutes', () => {
  /** With the fast clock: two minutes, twice the time after which a socket that is silent is given up. */
  const MS = 6000
  for (const [what, quirk] of [
    ['white space', () => quirks.completesSlowly(MS, { isSilent: false })],
    [
      'white space and a failure, at the first time',
      () =>
        quirks.completesSlowly(MS / 20, {
          isSilent: false,
          end: '<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>',
        }),
    ],
  ] as const) {
    test(`${what}: it is waited for, and no part is sent twice`, async () => {
      const { server, env } = await prepare({ 'a.csv': LARGE }, quirk())
      const { code, files, said } = await run({ ...env, ...FAST_CLOCK })
      assert.equal(code, 0, said)
      assert.equal(files[0]?.outcome, 'uploaded')
      const count = (kind: string) => server.seen.filter(seen => kindOf(seen) === kind).length
      assert.deepEqual([count('CreateMultipartUpload'), count('UploadPart')], [1, 2])
      assert.equal(count('CompleteMultipartUpload'), what.includes('failure') ? 2 : 1)
      assert.ok((await server.read(KEY)).body.equals(LARGE))
    })
  }
})
