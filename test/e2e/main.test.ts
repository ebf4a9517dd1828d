/** The main job, end to end: the real program, real files, a real server, and the bytes read back. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { CREDENTIALS, NO_CREDENTIALS, parseEvents, ROOT, runJson, runProgram } from '../support/program'
import { startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const MOVIES = 'id|título\n1|Amélie\n'
const SERIES = 'id,title\n1,"Twin\nPeaks"\n'

test('both files land byte for byte under the keys of the contract, in a bucket that is created', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'movies.csv': MOVIES, 'series.csv': SERIES })
  const { code, stdout, stderr } = await runProgram({ ...server.env, DATA_DIR, RUN_DATE: '2024-10-21' })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /2 uploaded, 0 unchanged, 0 failed/)
  assert.deepEqual(await server.keys(), [
    'Raw/Local/CSV/Movies/2024/10/21/movies.csv',
    'Raw/Local/CSV/Series/2024/10/21/series.csv',
  ])
  const { body, object } = await server.read('Raw/Local/CSV/Movies/2024/10/21/movies.csv')
  assert.deepEqual(body, Buffer.from(MOVIES))
  assert.equal(object.ContentType, 'text/csv')
  assert.deepEqual((await server.read('Raw/Local/CSV/Series/2024/10/21/series.csv')).body, Buffer.from(SERIES))
})

test('a second run sends no body, asks in one request, and says unchanged', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'movies.csv': MOVIES, 'series.csv': SERIES }) }
  await runProgram(env)
  server.seen.length = 0
  const { code, stdout } = await runProgram(env)
  assert.equal(code, 0)
  assert.match(stdout, /0 uploaded, 2 unchanged, 0 failed; 0 B sent in 1 request, /)
  assert.deepEqual(
    server.seen.map(({ method, body }) => [method, body.length]),
    [['GET', 0]],
  )
})

test('an edit that keeps the size and the time of a file is seen and sent', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'movies.csv': 'id,title\n1,Alien\n' })
  const env = { ...server.env, DATA_DIR, RUN_DATE: '2024-10-21' }
  await runProgram(env)
  writeFileSync(join(DATA_DIR, 'movies.csv'), 'id,title\n1,Akira\n')
  const { stdout } = await runProgram(env)
  assert.match(stdout, /1 uploaded/)
  assert.equal((await server.read('Raw/Local/CSV/Movies/2024/10/21/movies.csv')).body.toString(), 'id,title\n1,Akira\n')
})

test('every object body goes out whole, with its checksum in a header, never as aws-chunked, never after Expect', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'small.csv': MOVIES, 'large.csv': Buffer.alloc(9 * 1024 * 1024, 'a,b\n') })
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR })
  assert.equal(code, 0, stderr)
  const bodies = server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv'))
  assert.equal(bodies.length, 3)
  for (const { headers, body } of bodies) {
    assert.match(headers['x-amz-checksum-crc32']?.toString() ?? '', /^[A-Za-z0-9+/]{6}==$/)
    assert.equal(headers['x-amz-sdk-checksum-algorithm'], 'CRC32')
    assert.equal(headers['content-length'], String(body.length))
    assert.equal(headers['content-encoding'], undefined)
    assert.equal(headers['expect'], undefined)
  }
})

const NAMES = [
  'with space.csv',
  'nfc-\u00e9.csv',
  'nfd-e\u0301.csv',
  'hash#1.csv',
  'what?.csv',
  'per%41cent.csv',
  'pl+us.csv',
  '-dash.csv',
  'a..b.csv',
  'emoji-😀.csv',
  `quo'te.csv`,
  'amp&<x>.csv',
  'sub folder/deep.CSV',
  `${'n'.repeat(200)}.csv`,
]
test('every possible name lands under its own key, composed, and is read back by it', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder(Object.fromEntries(NAMES.map(name => [name, `name\n${name}\n`])))
  const { code, stdout, stderr } = await runProgram({
    ...server.env,
    DATA_DIR,
    KEY_LAYOUT: 'raw/{date:yyyy-MM-dd}/{file}',
    RUN_DATE: '2024-10-21',
  })
  assert.equal(code, 0, stderr)
  assert.match(stdout, new RegExp(`${NAMES.length} uploaded`))
  for (const name of NAMES) {
    const { body } = await server.read(`raw/2024-10-21/${name.normalize('NFC')}`)
    assert.equal(body.toString(), `name\n${name}\n`)
  }
})

test('a key of 1,024 bytes lands, one of 1,025 is the failure of its file alone', async () => {
  const server = await startServer()
  const layer = (length: number) => `${'é'.repeat(100)}/`.repeat(10).slice(0, length)
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'bb.csv': 'b\n' })
  const head = layer(400)
  const filler = 'x'.repeat(1024 - Buffer.byteLength(`${head}//a.csv`))
  const { code, stdout, stderr } = await runProgram({
    ...server.env,
    DATA_DIR,
    KEY_LAYOUT: `${head}/${filler}/{file}`.replace('//', '/x'),
  })
  assert.equal(code, 1)
  assert.match(stdout, /1 uploaded, 0 unchanged, 1 failed/)
  assert.match(stderr, /bb\.csv cannot be uploaded: its key would have 1025 bytes, and S3 allows 1024/)
  assert.deepEqual(
    (await server.keys()).map(key => Buffer.byteLength(key)),
    [1024],
  )
})

test('an unreadable file is its own failure, and the others land', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'movies.csv': MOVIES, 'secret.csv': SERIES })
  chmodSync(DATA_DIR, 0o755)
  chmodSync(join(DATA_DIR, 'secret.csv'), 0o000)
  const asNobody = process.getuid?.() === 0 ? { uid: 65534 } : {}
  const { code, stdout, stderr } = await runProgram({ ...server.env, DATA_DIR }, { ...asNobody, cwd: '/' })
  assert.equal(code, 1)
  assert.match(stdout, /1 uploaded, 0 unchanged, 1 failed/)
  assert.match(stderr, /^Failed: secret\.csv cannot be read \(EACCES\)\. Give the user/m)
  assert.deepEqual(await server.keys(), [(await server.keys()).find(key => key.endsWith('/movies.csv'))])
})

test('a role that gives no credentials is refused with exit 3, the reason, and nothing sent', async () => {
  const server = await startServer()
  const role = { AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere', AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/lake' }
  const env = { ...server.env, ...NO_CREDENTIALS, ...role, DATA_DIR: makeTempFolder({ 'a.csv': 'a\n' }) }
  const { code, stderr } = await runProgram(env)
  assert.equal(code, 3, stderr)
  assert.match(stderr, /No AWS credentials were found \(ENOENT: [^)]* '\/nowhere'\)\. Set AWS_ACCESS_KEY_ID/)
  assert.deepEqual(server.seen, [])
})

test('with --json every line of stdout is an event, and the last one is the summary', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'movies.csv': MOVIES, 'notes.txt': '' })
  const { code, stderr, events, file } = await runJson({ ...server.env, DATA_DIR, RUN_DATE: '2024-10-21' })
  assert.equal(code, 0)
  assert.equal(stderr, '')
  assert.deepEqual(
    events.map(event => event['event']),
    ['found', 'bucket', 'file', 'read', 'summary'],
  )
  assert.deepEqual(events[0]?.['passedOver'], ['notes.txt (not .csv)'])
  assert.equal(file?.key, 'Raw/Local/CSV/Movies/2024/10/21/movies.csv')
  assert.equal(file?.bytes, Buffer.byteLength(MOVIES))
  assert.equal(file?.outcome, 'uploaded')
})

test('a report that cannot be written is told on stderr, and the files land', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'a,b\n' }) }
  const { code, stderr } = await runProgram(env, { args: ['--json'], stdout: '/dev/full' })
  assert.equal(code, 0)
  assert.equal(stderr, 'Warning: the report is lost: stdout cannot be written (ENOSPC).\n')
  assert.equal((await server.keys()).length, 1)
})

test('with --json nothing else is on stdout, whatever dotenv and Node have to say', async () => {
  const server = await startServer()
  const talk = ['DOTENV_DEBUG=true', 'DOTENV_CONFIG_DEBUG=true', 'DOTENV_QUIET=false', 'DOTENV_CONFIG_QUIET=false']
  const cwd = makeTempFolder({ 'csv_files/a.csv': 'a\n', '.env': [...talk, `BUCKET_NAME=test-lake`].join('\n') })
  const { code, stdout, stderr } = await runProgram(
    {
      AWS_ENDPOINT_URL: server.env.AWS_ENDPOINT_URL,
      ...Object.fromEntries(talk.map(line => line.split('='))),
      // Would be read in place of .env.
      DOTENV_CONFIG_PATH: '/nowhere/.env',
      // Each makes Node itself print a warning.
      NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem',
      NODE_OPTIONS: '--experimental-loader=data:text/javascript,',
    },
    { args: ['--json'], cwd },
  )
  assert.equal(code, 0, stdout)
  assert.equal(parseEvents(stdout).at(-1)?.['bucket'], 'test-lake')
  assert.match(stderr, /Warning/, 'there was something to say')
})

test('.env in the working folder gives what the environment does not, credentials as one set', async () => {
  const server = await startServer()
  const cwd = makeTempFolder({
    'csv_files/a.csv': 'a\n',
    '.env': [
      '[default]',
      `aws_access_key_id=${CREDENTIALS.AWS_ACCESS_KEY_ID}`,
      `aws_secret_access_key='${CREDENTIALS.AWS_SECRET_ACCESS_KEY}'`,
      `aws_session_token=${CREDENTIALS.AWS_SESSION_TOKEN}`,
      'BUCKET_NAME=from-dotenv',
      'STORAGE_LAYER=FromDotenv',
    ].join('\n'),
  })
  const { code, stdout, stderr } = await runProgram({ ...server.env, ...NO_CREDENTIALS, STORAGE_LAYER: '' }, { cwd })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /Using the bucket test-lake|Created the bucket test-lake/)
  assert.match(stdout, /FromDotenv\/Local\/CSV\/A\//)
  assert.equal(server.seen[0]?.headers['x-amz-security-token'], CREDENTIALS.AWS_SESSION_TOKEN)
})

test("what the developer has in the environment, in .env or in a profile does not reach the tests' runs", async () => {
  const server = await startServer()
  process.env['BUCKET_NAME'] = 'decoy'
  process.env['AWS_PROFILE'] = 'decoy'
  try {
    const { AWS_ENDPOINT_URL } = server.env
    const { code, stderr } = await runProgram({ AWS_ENDPOINT_URL, DATA_DIR: makeTempFolder({ 'a.csv': 'a\n' }) })
    assert.equal(code, 2)
    assert.match(stderr, /BUCKET_NAME is not set/)
  } finally {
    delete process.env['BUCKET_NAME']
    delete process.env['AWS_PROFILE']
  }
})

test('npx ts-node src/main.ts in a checkout uploads csv_files/', async () => {
  const server = await startServer()
  const home = makeTempFolder()
  await promisify(execFile)(
    process.execPath,
    [require.resolve('ts-node/dist/bin'), 'src/main.ts', 'csv_files', '--date', '2024-10-21'],
    {
      cwd: ROOT,
      env: { ...CREDENTIALS, ...server.env, HOME: home },
    },
  )
  for (const [dataset, file] of [
    ['Movies', 'movies.csv'],
    ['Series', 'series.csv'],
  ]) {
    const { body } = await server.read(`Raw/Local/CSV/${dataset}/2024/10/21/${file}`)
    assert.deepEqual(body, readFileSync(join(ROOT, 'csv_files', file ?? '')))
  }
})
