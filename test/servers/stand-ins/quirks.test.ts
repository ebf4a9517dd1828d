/** Servers and middle boxes that are not AWS: the run ends right, says why, and nothing counts as landed that is not. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { kindOf, oneBitOff } from '../../support/faults'
import { FAST_CLOCK, preload, runBriefly, runJson, runProgram, startProgram } from '../../support/program'
import type { SeenRequest } from '../../support/proxy'
import * as quirks from '../../support/quirks'
import { refuse, startServer, type TestServer } from '../../support/s3-server'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024
const PART = 8 * MIB
const KEY = 'raw/a.csv'
const OTHER = Buffer.from('other content\n')
const SMALL = Buffer.from('id\n1\n')
const LARGE = randomBytes(PART + 1)
const SIZES = { small: SMALL, large: LARGE } as const

/** What no message may hold: what the SDK's parser says, and what says nothing. */
const GIBBERISH = /Unknown|parse error|mismatched|deserialization|\bError \(|undefined/i
const OVERLOADED = /overloaded|later/i

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
  const { code, stdout, stderr, events, summary, files, file } = await runJson(env, options)
  const shared = events.flatMap(event => (event['event'] === 'bucket' ? (event['warnings'] ?? []) : []))
  const warnings = [...files.flatMap(file => file.warnings), ...(shared as string[])]
  return { code, summary, files, file, warnings, said: `${stdout}${stderr}` }
}

const outcomesOf = (files: Awaited<ReturnType<typeof run>>['files']) => files.map(({ outcome }) => outcome)

describe('an answer is believed after a look', () => {
  test('a completion that makes an object of 0 bytes is a mismatch by the number behind the ETag', async () => {
    const { server, env } = await prepare({ 'a.csv': LARGE, 'b.csv': SMALL }, quirks.dropsPartsWithChecksums())
    const { code, files } = await run(env)
    const [large, small] = files
    assert.equal(small?.outcome, 'uploaded')
    const hasLanded = (await server.read(KEY)).body.equals(LARGE)
    assert.deepEqual(
      [large?.outcome, large?.error?.code],
      hasLanded ? ['uploaded', undefined] : ['failed', 'verify_mismatch'],
    )
    if (!hasLanded) assert.match(large?.error?.message ?? '', /raw\/a\.csv is not what was sent/)
    assert.equal(code, hasLanded ? 0 : 1)
  })

  test('a completion whose ETag is opaque is proved by a look at the size', async () => {
    const { server, env } = await prepare({ 'a.csv': LARGE }, quirks.dropsPartsWithChecksums('0x8DCF1A'))
    const { code, file } = await run(env)
    const hasLanded = (await server.read(KEY)).body.equals(LARGE)
    assert.equal(file?.error?.code ?? file?.outcome, hasLanded ? 'uploaded' : 'verify_mismatch')
    assert.equal(code, hasLanded ? 0 : 1)
    assert.ok(server.seen.some(seen => kindOf(seen) === 'HeadObject'))
  })

  test('a completion that cannot be proved, since no look is allowed, is uploaded and not verifiable', async () => {
    const complete = quirks.quirk(
      quirks.isKind('CompleteMultipartUpload'),
      () =>
        async ({ receive, forward, response }) => {
          const seen = await receive()
          if (seen === undefined) return
          await forward(seen, seen.body)
          response
            .writeHead(200)
            .end('<CompleteMultipartUploadResult><ETag>"opaque"</ETag></CompleteMultipartUploadResult>')
        },
    )
    const { env } = await prepare(
      { 'a.csv': LARGE },
      complete,
      quirks.refuses(quirks.isKind('HeadObject'), 403, 'AccessDenied'),
    )
    const { code, file } = await run(env)
    assert.equal(code, 0)
    assert.equal(file?.outcome, 'uploaded')
    assert.match(file?.warnings.join('\n') ?? '', /not verifiable/)
  })

  // Of the parts' own answers nothing follows for what was made of them.
  test('a MANIFEST is not written for an object that is not what was sent', async () => {
    const { server, env } = await prepare({ 'a.csv': LARGE }, quirks.dropsPartsWithChecksums())
    await run({ ...env, MANIFEST: 'true' })
    const hasLanded = (await server.read(KEY)).body.equals(LARGE)
    assert.equal(
      (await server.keys()).some(key => key.includes('_manifests')),
      hasLanded,
    )
  })
})

describe('a refusal before the body is read', () => {
  for (const [status, reason, exit] of [
    [403, 'AccessDenied', 4],
    [400, 'InvalidRequest', 1],
    [413, 'EntityTooLarge', 1],
  ] as const) {
    test(`${status}: 20 files of 8 MiB fail after a request or two each, and the process ends`, async () => {
      let refusals = 0
      const content = randomBytes(PART)
      const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}.csv`, content]))
      const refuse = quirks.refusesUnread(status, reason, ['PutObject'], () => {
        refusals += 1
      })
      const { server, env } = await prepare(files, refuse)
      const { code, files: reported } = await runBriefly({ ...env, CONCURRENCY: '8' })
      assert.equal(code, exit)
      assert.deepEqual(outcomesOf(reported), Array(20).fill('failed'))
      for (const { error } of reported) assert.equal(error?.retryable, false)
      assert.ok(refusals <= 40, `${refusals} refusals`)
      assert.deepEqual(await server.keys(), [])
    })
  }

  test('of a part: the upload is aborted, and the process ends', async () => {
    const refuse = quirks.refusesUnread(403, 'AccessDenied', ['UploadPart'])
    const { server, env } = await prepare({ 'a.csv': randomBytes(4 * PART) }, refuse)
    const { code, file } = await runBriefly(env)
    assert.equal(code, 4)
    assert.equal(file?.error?.code, 'bucket')
    assert.equal(server.seen.filter(seen => kindOf(seen) === 'AbortMultipartUpload').length, 1)
  })
})

describe('listings that are not complete', () => {
  const names = Array.from({ length: 5 }, (_, index) => `f${index}.csv`)
  const keysAfter = (keys: readonly string[], start: string | null) => keys.filter(key => start === null || key > start)

  for (const [what, quirk] of [
    [
      'truncated pages without a token, which go on after a key',
      quirks.lists((keys, query) => {
        const rest = keysAfter(keys, query.get('start-after'))
        return { keys: rest.slice(0, 2), isTruncated: rest.length > 2 }
      }),
    ],
    [
      'a truncated page without a token, the same again whatever is asked for',
      quirks.lists(keys => ({ keys: keys.slice(0, 2), isTruncated: true })),
    ],
    ['a token that repeats', quirks.lists(keys => ({ keys: keys.slice(0, 2), isTruncated: true, token: 'same' }))],
    [
      'pages that repeat under other tokens',
      quirks.lists((keys, query) => ({
        keys: keys.slice(0, 2),
        isTruncated: true,
        token: `${query.get('continuation-token') ?? ''}x`,
      })),
    ],
    ['a page of HTML with status 200', quirks.answersWithPage(200, ['ListObjectsV2'])],
    [
      'keys outside of the prefix, as if they were all',
      quirks.lists(() => ({ keys: ['other/1.csv', 'other/2.csv'], isTruncated: false })),
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

  test('a listing that keeps failing costs a HeadObject for each file, and a warning', async () => {
    const { server, env } = await prepare(
      { 'a.csv': SMALL, 'b.csv': SMALL },
      quirks.refuses(quirks.isKind('ListObjectsV2'), 500, 'InternalError'),
    )
    for (const outcome of ['uploaded', 'unchanged']) {
      server.seen.length = 0
      const { code, files, warnings, summary } = await run({ ...env, ...FAST_CLOCK })
      assert.equal(code, 0, JSON.stringify(summary))
      assert.deepEqual(outcomesOf(files), [outcome, outcome])
      assert.match(JSON.stringify([warnings, summary]), /listing/i)
      const looks = server.seen.filter(seen => kindOf(seen) === 'HeadObject' && seen.url.includes('.csv'))
      assert.ok(looks.length >= 2)
    }
  })
})

test('a path or a host that merely begins like the bucket is none of it', async () => {
  const { server, env } = await prepare({ 'a.csv': SMALL })
  const url = server.url.replace('127.0.0.1', 'localhost')
  const { code, stderr } = await runProgram({ ...env, AWS_ENDPOINT_URL: url, BUCKET_NAME: 'localhost' })
  assert.equal(code, 0, stderr)
  assert.ok(server.seen.every(seen => seen.url.startsWith('/localhost')))
})

describe('headers that a server does not know', () => {
  const completesWithChecksum = (head: Pick<SeenRequest, 'method' | 'url' | 'headers'>) =>
    quirks.isKind('CompleteMultipartUpload')(head) &&
    ['x-amz-checksum-crc32', 'x-amz-checksum-type'].some(name => head.headers[name] !== undefined)
  for (const [what, quirk] of [
    [
      'GCS: 412 to a completion with checksums',
      quirks.refuses(
        completesWithChecksum,
        412,
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold.',
      ),
    ],
    [
      'B2: 400 to the size in a completion',
      quirks.refuses(
        quirks.carries('x-amz-mp-object-size', 'CompleteMultipartUpload'),
        400,
        'InvalidArgument',
        "Unsupported header 'x-amz-mp-object-size' received for this API call.",
      ),
    ],
    [
      'B2: 400 to the checksum mode of a HEAD',
      quirks.refuses(quirks.carries('x-amz-checksum-mode', 'HeadObject'), 400, 'InvalidArgument'),
    ],
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

  for (const [status, code] of [
    [501, 'NotImplemented'],
    [400, 'InvalidArgument'],
  ] as const) {
    for (const [size, content] of Object.entries(SIZES)) {
      for (const [rule, outcome, exit] of [
        ['keep', 'kept', 0],
        ['fail', 'failed', 1],
      ] as const) {
        const message = 'A header you provided implies functionality that is not implemented: If-None-Match'
        const refusesCondition = quirks.refuses(quirks.carries('if-none-match'), status, code, message)
        const about = `${status} to If-None-Match, ${size} file, ON_CONFLICT=${rule}`

        test(`${about}: a key that is free is written`, async () => {
          const { server, env } = await prepare({ 'a.csv': content }, refusesCondition)
          const { code, file, said } = await run({ ...env, ON_CONFLICT: rule })
          assert.equal(code, 0, said)
          assert.equal(file?.outcome, 'uploaded')
          assert.doesNotMatch(said, OVERLOADED)
          assert.ok((await server.read(KEY)).body.equals(content))
        })

        test(`${about}: what appears in the meantime is left alone`, async () => {
          const appears = quirks.quirk(quirks.carries('if-none-match'), server => async ({ receive, response }) => {
            await server.write(KEY, OTHER)
            await receive()
            refuse(response, status, code, {}, message)
          })
          const { server, env } = await prepare({ 'a.csv': content }, appears)
          const { code: ended, file, said } = await run({ ...env, ON_CONFLICT: rule })
          assert.deepEqual([ended, file?.outcome], [exit, outcome], said)
          if (rule === 'fail') assert.equal(file?.error?.code, 'conflict')
          assert.ok((await server.read(KEY)).body.equals(OTHER))
        })
      }
    }
  }
})

describe('pages instead of answers', () => {
  for (const kind of ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    test(`a page with status 200 to a ${kind}: nothing counts as landed`, async () => {
      const content = kind === 'PutObject' ? SMALL : LARGE
      const { server, env } = await prepare({ 'a.csv': content }, quirks.answersWithPage(200, [kind]))
      const { code, file, said } = await run({ ...env, ...FAST_CLOCK })
      assert.ok(code === 1 || code === 6, said)
      assert.equal(file?.outcome, 'failed')
      assert.doesNotMatch(said, GIBBERISH)
      assert.deepEqual(await server.keys(), [])
    })
  }

  for (const [status, exit, retryable, advice, headers] of [
    [403, 4, false, /proxy|firewall|gateway|not S3|bucket policy|s3:PutObject/i, {}],
    [404, 1, false, /endpoint/i, {}],
    [405, 1, false, /endpoint/i, {}],
    [407, 2, false, /HTTPS_PROXY/, { 'proxy-authenticate': 'Basic realm="proxy"' }],
    [413, 1, false, /body/i, {}],
    [502, 6, true, /proxy|gateway|server/i, {}],
    [504, 6, true, /proxy|gateway|server/i, {}],
  ] as const) {
    test(`an HTML ${status} to a PutObject: the status is named, exit ${exit}`, async () => {
      const { env } = await prepare({ 'a.csv': SMALL }, quirks.answersWithPage(status, ['PutObject'], headers))
      const { code, file, said } = await run({ ...env, ...FAST_CLOCK })
      assert.equal(code, exit, said)
      const error = file?.error
      assert.match(error?.message ?? '', new RegExp(`\\b${status}\\b`))
      assert.match(error?.advice ?? '', advice)
      assert.equal(error?.retryable, retryable)
      assert.doesNotMatch(said, GIBBERISH)
    })
  }

  for (const [status, exit, advice, headers] of [
    [302, 2, /portal|endpoint/i, { location: 'http://portal.example.com/login' }],
    [401, 3, /credentials|AWS_ACCESS_KEY_ID|endpoint/i, { 'www-authenticate': 'Basic realm="lake"' }],
    [405, 4, /endpoint/i, { allow: 'GET' }],
    [407, 2, /HTTPS_PROXY/, { 'proxy-authenticate': 'Basic realm="proxy"' }],
  ] as const) {
    test(`${status} to everything, HEAD first: the status is named, exit ${exit}, nothing is written`, async () => {
      const { server, env } = await prepare({ 'a.csv': SMALL }, quirks.answersWithPage(status, 'all', headers))
      const { code, stderr } = await runProgram({ ...env, ...FAST_CLOCK })
      assert.equal(code, exit, stderr)
      assert.match(stderr, new RegExp(`\\b${status}\\b`))
      assert.match(stderr, advice)
      assert.doesNotMatch(stderr, GIBBERISH)
      assert.deepEqual(await server.keys(), [])
    })
  }
})

const KMS =
  'User: arn:aws:iam::111122223333:user/lake is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:111122223333:key/1 because no identity-based policy allows the kms:GenerateDataKey action'
const FULL = /full|quota/i

describe('advice that is true', () => {
  for (const [promise, [status, reason, message], [exit, kind], advice, never] of [
    [
      'a 412 without a condition is no conflict',
      [412, 'PreconditionFailed'],
      [1, 'refused_by_server'],
      /./,
      /ON_CONFLICT/,
    ],
    ['a 501 to all that is sent is no overload', [501, 'NotImplemented'], [1, 'refused_by_server'], /./, OVERLOADED],
    [
      'a denial by KMS names its action',
      [403, 'AccessDenied', KMS],
      [4, 'bucket'],
      /kms:GenerateDataKey/,
      /s3:PutObject/,
    ],
    ['a storage that is full is called full', [507, 'InsufficientStorage'], [4, 'bucket'], FULL, OVERLOADED],
    ["MinIO's storage that is full is, too", [507, 'XMinioStorageFull'], [4, 'bucket'], FULL, OVERLOADED],
    ['a quota that is used up is, too', [403, 'QuotaExceeded'], [4, 'bucket'], FULL, OVERLOADED],
  ] as const) {
    test(promise, async () => {
      const refusal = quirks.refuses(quirks.isKind('PutObject'), status, reason, message)
      const { env } = await prepare({ 'a.csv': SMALL }, refusal)
      const { code, file, said } = await run({ ...env, ...FAST_CLOCK })
      assert.deepEqual([code, file?.error?.code, file?.error?.retryable], [exit, kind, false], said)
      assert.ok(file?.error?.message.includes(reason), said)
      assert.match(file?.error?.advice ?? '', advice)
      assert.doesNotMatch(said, never)
    })
  }

  test('https:// for a server that speaks plain HTTP is a wrong setting: exit 2', async () => {
    const { server, env } = await prepare({ 'a.csv': SMALL })
    const url = server.url.replace('http:', 'https:')
    const { code, stderr } = await runProgram({ ...env, ...FAST_CLOCK, AWS_ENDPOINT_URL: url })
    assert.equal(code, 2, stderr)
    assert.match(stderr, /http:\/\//)
  })

  test('two files that are denied give one sentence of advice', async () => {
    const { env } = await prepare(
      { 'a.csv': SMALL, 'b.csv': SMALL },
      quirks.refuses(quirks.isKind('PutObject'), 403, 'AccessDenied'),
    )
    const { code, stdout, stderr } = await runProgram(env)
    assert.equal(code, 4)
    assert.equal(`${stdout}${stderr}`.match(/Allow s3:PutObject/g)?.length, 1, stderr)
  })

  test('a failure carries what S3 said of it, and the screen the id of the request', async () => {
    const refusal = quirks.refuses(quirks.isKind('PutObject'), 400, 'InvalidArgument', 'Bad.', {
      'x-amz-request-id': '4442587FB7D0A2F9',
    })
    const { env } = await prepare({ 'a.csv': SMALL }, refusal)
    const { stderr } = await runProgram(env)
    assert.match(stderr, /4442587FB7D0A2F9/)
    const { file } = await runJson(env)
    assert.deepEqual(file?.error?.s3, { code: 'InvalidArgument', status: 400, requestId: '4442587FB7D0A2F9' })
  })
})

describe('ETags that look like an MD5 and are none', () => {
  for (const [size, content] of Object.entries(SIZES)) {
    test(`${size} files: the server compares Content-MD5 once, and it is said once`, async () => {
      const { server, env } = await prepare({ 'a.csv': content, 'b.csv': content }, quirks.inventsEtags())
      const { code, files, warnings, said } = await run(env)
      assert.equal(code, 0, said)
      assert.deepEqual(outcomesOf(files), ['uploaded', 'uploaded'])
      assert.equal(warnings.filter(warning => /ETag/.test(warning)).length, 1, warnings.join('\n'))
      assert.ok(server.seen.some(seen => seen.headers['content-md5'] !== undefined && isContent(seen)))
      for (const name of ['a', 'b']) assert.ok((await server.read(`raw/${name}.csv`)).body.equals(content))
    })

    test(`a ${size} file that is changed on its way there is not taken for one that landed`, async () => {
      const { env } = await prepare({ 'a.csv': content }, quirks.inventsEtags(oneBitOff))
      const { code, file, said } = await run({ ...env, ...FAST_CLOCK })
      assert.equal(code, 1, said)
      assert.equal(file?.outcome, 'failed')
      assert.equal(file?.error?.retryable, true)
    })
  }
})

test('ETags that are no MD5s: a protected key is written under its condition all the same', async () => {
  const files = { 'a.csv': SMALL, 'b.csv': SMALL, 'c.csv': SMALL }
  const { server, env } = await prepare(files, quirks.inventsEtags())
  const { code, said } = await run({ ...env, ON_CONFLICT: 'keep', CONCURRENCY: '1' })
  assert.equal(code, 0, said)
  for (const name of ['b', 'c']) {
    const [first] = server.seen.filter(seen => kindOf(seen) === 'PutObject' && seen.url.includes(`${name}.csv`))
    assert.equal(first?.headers['if-none-match'], '*')
    assert.ok(first?.headers['content-md5'] !== undefined)
  }
})

test('an upload that is begun without an id fails: no request goes to the object itself', async () => {
  const withoutId = quirks.quirk(quirks.isKind('CreateMultipartUpload'), () => async ({ receive, response }) => {
    await receive()
    response.writeHead(200).end('<InitiateMultipartUploadResult></InitiateMultipartUploadResult>')
  })
  const { server, env } = await prepare({ 'a.csv': LARGE }, withoutId)
  const { code, file, said } = await run(env)
  assert.equal(code, 1, said)
  assert.match(file?.error?.message ?? '', /without an upload id/)
  assert.ok(!server.seen.some(seen => ['PUT', 'DELETE'].includes(seen.method)))
})

describe('a completion that takes minutes', () => {
  /** With the fast clock: two minutes, twice the time after which a socket that is silent is given up. */
  const MS = 6000
  for (const [what, quirk] of [
    ['silence', () => quirks.completesSlowly(MS, { isSilent: true })],
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
      const { code, file, said } = await run({ ...env, ...FAST_CLOCK })
      assert.equal(code, 0, said)
      assert.equal(file?.outcome, 'uploaded')
      const count = (kind: string) => server.seen.filter(seen => kindOf(seen) === kind).length
      assert.deepEqual([count('CreateMultipartUpload'), count('UploadPart')], [1, 2])
      assert.equal(count('CompleteMultipartUpload'), what.includes('failure') ? 2 : 1)
      assert.ok((await server.read(KEY)).body.equals(LARGE))
    })
  }
})

describe('rules that a server does not keep', () => {
  test('BUCKET_OWNER at a server that refuses no owner is warned of, once', async () => {
    const { env } = await prepare({ 'a.csv': SMALL, 'b.csv': SMALL })
    const { code, warnings, said } = await run({ ...env, BUCKET_OWNER: '123456789012' })
    assert.equal(code, 0, said)
    assert.equal(warnings.filter(warning => /BUCKET_OWNER/.test(warning)).length, 1, warnings.join('\n'))
  })

  for (const [status, code] of [
    [400, 'MalformedXML'],
    [409, 'BucketAlreadyExists'],
  ] as const) {
    test(`a lifecycle rule that is refused as ${code}: the warning does not repeat the name`, async () => {
      const server = await startServer()
      quirks.refuses(({ method, url }) => method === 'PUT' && url.includes('lifecycle'), status, code)(server)
      const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': SMALL }) }
      const { code: exit, warnings } = await run(env)
      assert.equal(exit, 0)
      assert.match(warnings.join('\n'), /lifecycle rule/)
      assert.ok(!warnings.some(warning => warning.includes(code)), warnings.join('\n'))
    })
  }

  test('1,000 parts are enough for a file of 8 GiB, as some servers take no more', async () => {
    const size = 8 * 1024 * MIB + 1
    const { server, env } = await prepare({ 'a.csv': '' })
    truncateSync(join(env.DATA_DIR, 'a.csv'), size)
    const first = new Promise<SeenRequest>(resolve => {
      server.meddle = seen => {
        if (kindOf(seen) !== 'UploadPart') return seen.body
        resolve(seen)
        return undefined
      }
    })
    const program = startProgram({ ...env, CSV_CHECK: 'off' })
    const seen = await Promise.race([first, program.ended])
    program.kill('SIGTERM')
    assert.ok('body' in seen, JSON.stringify(seen))
    assert.ok(seen.body.length >= size / 1000, `parts of ${seen.body.length} bytes`)
    assert.equal((await program.ended).code, 143)
  })
})

describe('the machine that it runs on', () => {
  test('inode numbers that move prove nothing', async () => {
    const { server, env } = await prepare({ 'a.csv': SMALL, 'b.csv': LARGE })
    const { code, files, said } = await run({ ...env, NODE_OPTIONS: preload('moving-inodes') })
    assert.equal(code, 0, said)
    assert.deepEqual(outcomesOf(files), ['uploaded', 'uploaded'])
    assert.ok((await server.read('raw/b.csv')).body.equals(LARGE))
  })

  const asUser = process.getuid?.() === 0 ? { uid: 1000, cwd: '/' } : {}
  /** A folder that the user of the program may not list. */
  function close(folder: string): void {
    mkdirSync(folder)
    chmodSync(folder, 'uid' in asUser ? 0o700 : 0)
    after(() => chmodSync(folder, 0o700))
  }

  test("what macOS, Excel and a volume's file system leave behind is passed over", async () => {
    const { server, env } = await prepare({ 'a.csv': SMALL, '._a.csv': 'x', '~$a.csv': 'x', '.hidden/b.csv': 'x' })
    chmodSync(env.DATA_DIR, 0o755)
    close(join(env.DATA_DIR, 'lost+found'))
    const { code, said } = await run(env, asUser)
    assert.equal(code, 0, said)
    assert.deepEqual(await server.keys(), [KEY])
  })

  test('another folder that cannot be listed fails by its name, and the rest lands', async () => {
    const { server, env } = await prepare({ 'a.csv': SMALL })
    chmodSync(env.DATA_DIR, 0o755)
    close(join(env.DATA_DIR, 'closed'))
    const { code, said } = await run(env, asUser)
    assert.equal(code, 1, said)
    assert.match(said, /closed/)
    assert.deepEqual(await server.keys(), [KEY])
  })
})
