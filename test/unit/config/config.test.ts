import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { version } from '../../../package.json'
import { type Config, parseConfig, type Run } from '../../../src/config/config'
import { findMisspelt } from '../../../src/config/misspelt'
import type { Profile } from '../../../src/config/profile'
import { describeDefault, SETTINGS } from '../../../src/config/settings'
import { ConfigFailure, CredentialsFailure, Failure } from '../../../src/errors'
import { catchFailure } from '../../support/failure'
import { makeTempFolder } from '../../support/temp-folder'
import { makeCertificate } from '../../support/tls'
import { inZone } from '../../support/zone'

type Variables = Readonly<Record<string, string | undefined>>

/** Still the 21st in the Americas. */
const NOW = new Date('2024-10-22T02:30:00Z')
const REQUIRED = { BUCKET_NAME: 'landing-zone', TZ: 'UTC' }

function run(environment: Variables, dotenv: Variables, argv: readonly string[], settings: Profile['settings']): Run {
  const given = { argv, environment: { ...REQUIRED, ...environment }, dotenv, profile: { name: 'lake', settings } }
  const invocation = parseConfig(given, NOW)
  assert.ok('config' in invocation, 'a text to print instead of a run')
  return invocation
}

function parse(environment: Variables = {}, dotenv: Variables = {}, argv: readonly string[] = []): Config {
  return run(environment, dotenv, argv, {}).config
}

/** The refusal of a configuration. */
function refuse(environment: Variables, dotenv: Variables = {}, argv: readonly string[] = []): Failure {
  const failure = catchFailure(() => parse(environment, dotenv, argv))
  assert.ok(failure instanceof ConfigFailure)
  assert.deepEqual([failure.code, failure.exitCode, failure.retryable], ['bad_config', 2, false])
  return failure
}

/** The refusal of credentials. */
function refuseCredentials(environment: Variables, dotenv: Variables = {}): Failure {
  const failure = catchFailure(() => parse(environment, dotenv))
  assert.ok(failure instanceof CredentialsFailure)
  assert.deepEqual([failure.code, failure.exitCode], ['credentials', 3])
  return failure
}

const NO_PROFILE = { name: 'default', settings: {} }

/** What is printed in place of a run. */
function print(argv: readonly string[], environment: Variables = {}): string {
  const invocation = parseConfig({ argv, environment, dotenv: {}, profile: NO_PROFILE }, NOW)
  assert.ok('print' in invocation)
  return invocation.print
}

interface Row {
  readonly name: string
  /** What the setting decides; where there is only one behaviour yet, nothing. */
  readonly field: (config: Config) => unknown
  readonly fallback: unknown
  /** Texts that are taken as they are, or with what becomes of them. */
  readonly accepted: readonly (string | readonly [text: string, value: unknown])[]
  readonly refused?: readonly string[]
}

const MIB = 1024 * 1024

const REGIONS = {
  fallback: undefined,
  accepted: ['eu-west-1', 'us-gov-east-1', 'x'],
  refused: ['eu west 1', 'eu_west_1', 'eu-west-1.evil.example', '-eu', 'eu-', 'https://eu', 'é', 'a'.repeat(64)],
} as const

const ENDPOINTS = {
  fallback: undefined,
  accepted: ['http://127.0.0.1:9000', 'https://s3.example.com/base', 'HTTPS://S3.example.com'],
  refused: [
    ...['localhost:9000', 's3.example.com', 'ftp://s3.example.com', 'https://', 'http://127.0.0.1:99999'],
    ...['https://user:word@s3.example.com', 'https://user@s3.example.com'],
    ...['https://s3.example.com/?list-type=2', 'https://s3.example.com/#top'],
  ],
} as const

const BOOLEANS = {
  accepted: [
    ['true', true],
    ['false', false],
  ],
  refused: ['TRUE', 'FALSE', 'yes', 'no', '1', '0', ' true'],
} as const

const ANY_TEXT = ['Bronze', 'with space', "it's"] as const

const ARN = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/lake'

/** A certificate that nothing but these tests knows, and files that are none. */
const PEM = makeCertificate('IP:127.0.0.1')
const NO_PEM = join(makeTempFolder({ 'readme.txt': 'no certificate' }), 'readme.txt')
const BAD_PEM = join(
  makeTempFolder({ 'bad.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
  'bad.pem',
)

const PROXIES = {
  fallback: undefined,
  accepted: [
    ['http://proxy.example.com:3128', 'http://proxy.example.com:3128/'],
    ['proxy:3128', 'http://proxy:3128/'],
    ['https://user:p%40ss@proxy:8443/', 'https://user:p%40ss@proxy:8443/'],
  ],
  refused: ['socks5://proxy:1080', 'http://', 'http://proxy:99999', 'ftp://proxy'],
} as const

const TABLE: readonly Row[] = [
  { name: 'HTTPS_PROXY', field: config => config.s3.network.httpsProxy, ...PROXIES },
  { name: 'HTTP_PROXY', field: config => config.s3.network.httpProxy, ...PROXIES },
  { name: 'ALL_PROXY', field: config => config.s3.network.httpsProxy, ...PROXIES },
  {
    name: 'NO_PROXY',
    field: config => config.s3.network.noProxy,
    fallback: '',
    accepted: ['*', 'localhost,.example.com 10.0.0.0/8'],
  },
  {
    name: 'AWS_CA_BUNDLE',
    field: config => config.s3.network.authorities,
    fallback: undefined,
    accepted: [[PEM.path, PEM.cert.trim()]],
    refused: [NO_PEM, BAD_PEM, '/does/not/exist.pem', '/'],
  },
  {
    name: 'OBJECT_OPTIONS',
    field: config => config.objectOptions,
    fallback: {},
    accepted: [
      ['StorageClass=STANDARD_IA', { StorageClass: 'STANDARD_IA' }],
      [' ACL = bucket-owner-full-control ;; ', { ACL: 'bucket-owner-full-control' }],
      [
        'ServerSideEncryption=aws:kms; SSEKMSKeyId=arn:aws:kms:eu-west-1:123456789012:key/1a-2b; BucketKeyEnabled=true',
        {
          ServerSideEncryption: 'aws:kms',
          SSEKMSKeyId: 'arn:aws:kms:eu-west-1:123456789012:key/1a-2b',
          BucketKeyEnabled: true,
        },
      ],
      ['Tagging=team=data&tier=raw zone', { Tagging: 'team=data&tier=raw+zone' }],
      ['CacheControl=max-age=60, private', { CacheControl: 'max-age=60, private' }],
    ],
  },
  { name: 'AWS_REGION', field: config => config.s3.region, ...REGIONS },
  { name: 'AWS_DEFAULT_REGION', field: config => config.s3.region, ...REGIONS },
  { name: 'AWS_ENDPOINT_URL_S3', field: config => config.s3.endpoint, ...ENDPOINTS },
  { name: 'AWS_ENDPOINT_URL', field: config => config.s3.endpoint, ...ENDPOINTS },
  { name: 'S3_FORCE_PATH_STYLE', field: config => config.s3.forcePathStyle, fallback: false, ...BOOLEANS },
  {
    name: 'BUCKET_NAME',
    field: config => config.s3.bucket,
    fallback: 'refused: see below',
    accepted: ['abc', 'my.bucket-1', 'a'.repeat(63), '1.2.3', 'lake-1a2b-s3alias', ARN],
    refused: [
      ...['ab', 'a'.repeat(64), 'My-Bucket', 'my_bucket', 'a..b', '-abc', 'abc-', '.abc', 'abc.', '192.168.0.1'],
      ...['s3://my-bucket', 'S3://my-bucket', 'my-bucket/folder'],
      // AWS keeps these for itself.
      ...['xn--abc', 'sthree-abc', 'amzn-s3-demo-abc', 'abc--ol-s3', 'abc.mrap', 'abc--x-s3', 'abc--table-s3'],
      'arn:aws:s3:::my-bucket',
      'arn:aws:s3::123456789012:accesspoint/lake.mrap',
      'arn:aws:s3:eu-west-1:1234:accesspoint/lake',
      'arn:aws:s3:eu-west-1:123456789012:accesspoint/',
      'arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/lake',
    ],
  },
  {
    name: 'BUCKET_OWNER',
    field: config => config.s3.bucketOwner,
    fallback: undefined,
    accepted: ['012345678901'],
    refused: ['12345678901', '1234567890123', '12345678901a', '1234-5678-9012'],
  },
  { name: 'CREATE_BUCKET', field: config => config.createBucket, fallback: true, ...BOOLEANS },
  {
    name: 'DATA_DIR',
    field: config => config.paths,
    fallback: ['./csv_files'],
    accepted: [
      ['/data', ['/data']],
      ['my files', ['my files']],
    ],
  },
  { name: 'STORAGE_LAYER', field: config => config.layout.names.layer, fallback: 'Raw', accepted: ANY_TEXT },
  { name: 'DATA_SOURCE', field: config => config.layout.names.source, fallback: 'Local', accepted: ANY_TEXT },
  { name: 'DATA_FORMAT', field: config => config.layout.names.format, fallback: 'CSV', accepted: ANY_TEXT },
  {
    name: 'KEY_LAYOUT',
    field: config => config.layout.template,
    fallback: '{layer}/{source}/{format}/{dataset}/{date:yyyy}/{date:MM}/{date:dd}/{file}',
    accepted: [
      ['plain', '{layer}/{source}/{format}/{dataset}/{date:yyyy}/{date:MM}/{date:dd}/{file}'],
      ['hive', '{layer}/{source}/{format}/{dataset}/year={date:yyyy}/month={date:MM}/day={date:dd}/{file}'],
      '{file}',
    ],
    refused: ['Plain', 'raw/{dataset}', '{file', '{file}}', '{file}{name}', '{file}{date:HH}', '{file}{date:}'],
  },
  {
    name: 'RUN_DATE',
    field: config => config.runDate,
    fallback: '2024-10-22',
    accepted: ['2024-02-29', '1999-12-31', '0001-01-01'],
    refused: [
      ...['0000-01-01', '2023-02-29', '2024-02-30', '2024-13-01', '2024-00-10', '2024-10-00'],
      ...['2024-1-1', '21-10-2024', '2024/10/21', '20241021', '2024-10-21T00:00:00Z', '2024-10-21\n', 'today'],
    ],
  },
  {
    name: 'TZ',
    field: config => config.runDate,
    fallback: 'the system decides: see below',
    accepted: [
      ['UTC', '2024-10-22'],
      ['Asia/Tokyo', '2024-10-22'],
      ['America/Sao_Paulo', '2024-10-21'],
    ],
    refused: ['Mars/Olympus', 'Sao Paulo', 'GMT+25'],
  },
  {
    name: 'ON_CONFLICT',
    field: config => config.rules.onConflict,
    fallback: 'overwrite',
    accepted: ['overwrite', 'keep', 'fail'],
    refused: ['Overwrite', 'replace'],
  },
  {
    name: 'ON_INTERRUPT',
    field: config => config.rules.onInterrupt,
    fallback: 'abort',
    accepted: ['abort', 'keep'],
    refused: ['ABORT', 'resume'],
  },
  {
    name: 'CSV_CHECK',
    field: config => config.csvCheck,
    fallback: 'warn',
    accepted: ['off', 'warn', 'strict'],
    refused: ['on', 'false'],
  },
  {
    name: 'MAX_MEMORY',
    field: config => config.maxMemory,
    fallback: 64 * MIB,
    accepted: [
      ['8MiB', 8 * MIB],
      ['8388608', 8 * MIB],
      ['65536kib', 64 * MIB],
      ['1GiB', 1024 * MIB],
      ['100 MiB', 100 * MIB],
    ],
    refused: ['8388607', '7MiB', '64MB', '64M', '64.5MiB', '-64MiB', '1e9', '0', 'lots', `${'9'.repeat(20)}GiB`],
  },
  {
    name: 'CONCURRENCY',
    field: config => config.s3.concurrency,
    fallback: 16,
    accepted: [
      ['1', 1],
      ['32', 32],
      ['1000', 1000],
    ],
    refused: ['0', '1001', '8.5', '-1', '1e2', '0x10', 'many', ' 8'],
  },
  {
    name: 'SHARD',
    field: config => config.shard,
    fallback: undefined,
    accepted: [
      ['0/4', { index: 0, count: 4 }],
      ['3/4', { index: 3, count: 4 }],
      ['0/1', { index: 0, count: 1 }],
    ],
    refused: ['4/4', '-1/4', '1/0', '0/0', '1', '1/4/4', '1 / 4', 'a/b', '0/100001'],
  },
  { name: 'MANIFEST', field: config => config.manifest, fallback: false, ...BOOLEANS },
  {
    name: 'LOG_FORMAT',
    field: () => undefined,
    fallback: undefined,
    accepted: [
      ['text', undefined],
      ['json', undefined],
    ],
    refused: ['JSON', 'xml'],
  },
]

const NUMBERED_BY_SCHEDULER = ['SHARDS', 'JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX'] as const
const CREDENTIALS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const
const SECRET_FILES = CREDENTIALS.map(name => `${name}_FILE`)

/** A row's text, and what becomes of it. */
const asPair = (accepted: Row['accepted'][number]) => (typeof accepted === 'string' ? [accepted, accepted] : accepted)

test('every setting that --help lists is in the table of these tests', () => {
  const tested = [...TABLE.map(row => row.name), ...CREDENTIALS, ...SECRET_FILES, ...NUMBERED_BY_SCHEDULER, 'DEBUG']
  assert.deepEqual(SETTINGS.map(setting => setting.name).sort(), tested.sort())
})

for (const { name, field, fallback, accepted, refused = [] } of TABLE) {
  describe(name, () => {
    for (const [text, value] of accepted.map(asPair)) {
      test(`takes ${JSON.stringify(text)}`, () => assert.deepEqual(field(parse({ [name]: text })), value))
      test(`takes ${JSON.stringify(text)} from .env`, () =>
        assert.deepEqual(field(parse({ [name]: undefined }, { [name]: text })), value))
      test(`blank counts as not set, so ${JSON.stringify(text)} from .env is taken`, () =>
        assert.deepEqual(field(parse({ [name]: '' }, { [name]: text })), value))
      test(`quotes around ${JSON.stringify(text)} are refused`, () => {
        for (const quote of ['"', "'"]) {
          const failure = refuse({ [name]: `${quote}${text}${quote}` })
          assert.ok(failure.message.includes(name), failure.message)
          assert.match(failure.advice, /quotes/)
        }
      })
    }
    // One good value shows which source was looked at.
    for (const [text, value] of accepted.slice(0, 1).map(asPair)) {
      for (const bad of refused) {
        test(`in the environment, ${JSON.stringify(text)} wins over ${JSON.stringify(bad)} in .env`, () =>
          assert.deepEqual(field(parse({ [name]: text }, { [name]: bad })), value))
        test(`in the environment, ${JSON.stringify(bad)} is refused whatever .env has`, () =>
          assert.ok(refuse({ [name]: bad }, { [name]: text }).message.includes(name)))
      }
    }
    for (const text of refused) {
      test(`refuses ${JSON.stringify(text)}`, () => {
        const failure = refuse({ [name]: text })
        assert.ok(failure.message.includes(name), failure.message)
        // What an address holds may be a password, so its refusals need not repeat it.
        if (!/ENDPOINT|PROXY/.test(name)) assert.ok(failure.message.includes(JSON.stringify(text)), failure.message)
        assert.ok(failure.advice.includes(name) || /\{file\}|S3 keys/.test(failure.advice), failure.advice)
      })
    }
    // Without a bucket there is no run, and without a zone the day is the system's.
    if (name !== 'BUCKET_NAME' && name !== 'TZ') {
      for (const blank of [undefined, '']) {
        test(`is ${JSON.stringify(fallback)} where it is ${blank === undefined ? 'not set' : 'blank everywhere'}`, () =>
          assert.deepEqual(field(parse({ [name]: blank }, { [name]: blank })), fallback))
      }
    }
  })
}

describe('BUCKET_NAME', () => {
  for (const blank of [undefined, '']) {
    test(`a run without a bucket is refused: ${JSON.stringify(blank)}`, () =>
      assert.equal(refuse({ BUCKET_NAME: blank }).message, 'BUCKET_NAME is not set.'))
  }
})

describe('TZ', () => {
  for (const [zone, date] of [
    ['America/Sao_Paulo', '2024-10-21'],
    ['Asia/Tokyo', '2024-10-22'],
    ['Pacific/Apia', '2024-10-22'],
    ['Pacific/Pago_Pago', '2024-10-21'],
  ] as const) {
    test(`without it, the system's zone decides: ${zone}`, () =>
      assert.equal(inZone(zone, () => parse({ TZ: undefined })).runDate, date))
    test(`a zone in .env wins over the system's: ${zone}`, () =>
      assert.equal(inZone('UTC', () => parse({ TZ: undefined }, { TZ: zone })).runDate, date))
    test(`a given date is the same in every zone: ${zone}`, () =>
      assert.equal(inZone(zone, () => parse({ TZ: zone, RUN_DATE: '2011-12-30' })).runDate, '2011-12-30'))
  }
  for (const argv of [[], ['--date', '2024-10-21']]) {
    test(`an unknown zone is no trouble if the date is given: ${argv.join(' ') || 'RUN_DATE'}`, () =>
      assert.equal(parse({ TZ: 'Mars/Olympus', RUN_DATE: '2024-10-21' }, {}, argv).runDate, '2024-10-21'))
  }
})

describe('region and endpoint', () => {
  for (const [field, strong, one, weak, other] of [
    ['region', 'AWS_REGION', 'eu-west-1', 'AWS_DEFAULT_REGION', 'sa-east-1'],
    ['endpoint', 'AWS_ENDPOINT_URL_S3', 'http://s3:1', 'AWS_ENDPOINT_URL', 'http://all:2'],
  ] as const) {
    test(`${strong} wins over ${weak}`, () => assert.equal(parse({ [strong]: one, [weak]: other }).s3[field], one))
    test(`${weak} is taken where ${strong} is blank`, () =>
      assert.equal(parse({ [strong]: '', [weak]: other }).s3[field], other))
  }
  for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']) {
    test(`${name} makes addressing path-style`, () =>
      assert.equal(parse({ [name]: 'http://s3:1' }).s3.forcePathStyle, true))
    test(`S3_FORCE_PATH_STYLE=false holds with ${name}, too`, () =>
      assert.equal(parse({ [name]: 'http://s3:1', S3_FORCE_PATH_STYLE: 'false' }).s3.forcePathStyle, false))
    test(`${name} without a scheme is told so`, () =>
      assert.match(refuse({ [name]: 'localhost:9000' }).message, new RegExp(`^${name} has no scheme`)))
  }
})

describe('a password in an address is refused and not repeated', () => {
  const endpoints = [
    'https://user:Passw0rd@s3.example.com',
    'https://user:Passw0rd@s3.example.com:99999',
    '"https://user:Passw0rd@s3.example.com"',
    'user:Passw0rd@s3.example.com',
    'https://s3.example.com/?X-Amz-Security-Token=Passw0rd',
    "'https://s3.example.com/?X-Amz-Security-Token=Passw0rd'",
  ]
  const proxies = [
    'socks5://user:Passw0rd@proxy:1080',
    'user:Passw0rd@proxy:99999',
    '"http://user:Passw0rd@proxy"',
    '"user:Passw0rd@proxy"',
    'http://user:Passw0rd%@proxy:3128',
    'http://user:Passw0rd@',
    'user:Pass://w0rd@proxy:99999',
  ]
  for (const [name, texts] of [
    ['AWS_ENDPOINT_URL_S3', endpoints],
    ['AWS_ENDPOINT_URL', endpoints],
    ['HTTPS_PROXY', proxies],
  ] as const) {
    for (const text of texts) {
      test(`${name}=${text}`, () => {
        const failure = refuse({ [name]: text })
        assert.ok(failure.message.includes(name), failure.message)
        assert.doesNotMatch(`${failure.message} ${failure.advice}`, /w0rd/)
      })
    }
  }
})

describe('the endpoint holds the bucket', () => {
  const BUCKET_NAME = 'my-lake'
  for (const [address, meant] of [
    ['https://account.r2.example.com/my-lake', 'https://account.r2.example.com'],
    ['https://account.r2.example.com/my-lake/', 'https://account.r2.example.com'],
    ['https://gateway.example.com/s3/my-lake', 'https://gateway.example.com/s3'],
    ['http://127.0.0.1:9000/my-lake', 'http://127.0.0.1:9000'],
    ['https://my-lake.s3.eu-west-1.amazonaws.com', 'https://s3.eu-west-1.amazonaws.com'],
    ['http://MY-LAKE.minio:9000/', 'http://minio:9000'],
  ] as const) {
    for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL']) {
      test(`${name}=${address} is refused, with the address to use`, () => {
        const failure = refuse({ BUCKET_NAME, [name]: address })
        assert.equal(failure.message, `${name} is "${address}", which already holds the bucket my-lake.`)
        assert.equal(failure.advice, `Set ${name} to ${meant}.`)
        assert.equal(parse({ BUCKET_NAME, [name]: meant }).s3.endpoint, meant)
      })
    }
  }
  for (const [address, bucket] of [
    ['http://my-lake:9000', 'my-lake'],
    ['https://my-lakes.example.com/my-lake-2', 'my-lake'],
    ['https://s3.example.com/my-lake/s3', 'my-lake'],
    ['http://127.0.0.1:9000', '127'],
  ] as const) {
    test(`${address} does not hold ${bucket}`, () =>
      assert.equal(parse({ BUCKET_NAME: bucket, AWS_ENDPOINT_URL: address }).s3.endpoint, address))
  }
})

describe('a bucket by another name', () => {
  const AWS_ENDPOINT_URL = 'http://127.0.0.1:9000'
  for (const BUCKET_NAME of ['My_Data_Lake', 'LAKE', 'a'.repeat(255), 'xn--lake', 'lake--x-s3']) {
    test(`${BUCKET_NAME} is good on a custom endpoint, and only there`, () => {
      assert.equal(parse({ BUCKET_NAME, AWS_ENDPOINT_URL }).s3.bucket, BUCKET_NAME)
      refuse({ BUCKET_NAME })
    })
  }
  for (const BUCKET_NAME of ['ab', 'a/b', 'a b', '_lake', 'lake_', 'a'.repeat(256), 'séries', 's3://lake'])
    test(`${BUCKET_NAME} is no name on any server`, () => void refuse({ BUCKET_NAME, AWS_ENDPOINT_URL }))
  for (const BUCKET_NAME of ['lake-1a2b-s3alias', ARN]) {
    test(`the access point ${BUCKET_NAME} is never created`, () =>
      assert.equal(parse({ BUCKET_NAME, CREATE_BUCKET: 'true' }).createBucket, false))
  }
  test("an ARN's region is the region, whatever else is set", () => {
    assert.equal(parse({ BUCKET_NAME: ARN, AWS_REGION: 'us-east-2' }).s3.region, 'eu-west-1')
  })
  test('an ARN does not go into paths', () => {
    assert.equal(parse({ BUCKET_NAME: ARN, AWS_ENDPOINT_URL }).s3.forcePathStyle, false)
    const { message } = refuse({ BUCKET_NAME: ARN, S3_FORCE_PATH_STYLE: 'true' })
    assert.match(message, /^S3_FORCE_PATH_STYLE is true, and BUCKET_NAME is an ARN/)
  })
})

describe('OBJECT_OPTIONS', () => {
  for (const [text, says] of [
    ['StorageClass=COLD', /StorageClass in OBJECT_OPTIONS is "COLD"\. .*STANDARD_IA/],
    ['StorageClass=', /StorageClass in OBJECT_OPTIONS is ""/],
    ['storageclass=STANDARD', /holds "storageclass=STANDARD", which is no option .*StorageClass, ServerSideEncryption/],
    ['STANDARD_IA', /holds "STANDARD_IA", which is no option/],
    ['__proto__=1', /holds "__proto__=1", which is no option/],
    ['ContentType=text/plain', /no option that it takes/],
    ['ACL=private;ACL=private', /holds ACL twice/],
    ['ServerSideEncryption=AES-256', /ServerSideEncryption in OBJECT_OPTIONS is "AES-256"\. .*AES256 or .*aws:kms/],
    ['SSEKMSKeyId=1a-2b', /holds SSEKMSKeyId without ServerSideEncryption=aws:kms/],
    ['ServerSideEncryption=AES256;BucketKeyEnabled=true', /holds BucketKeyEnabled without/],
    ['ServerSideEncryption=aws:kms;SSEKMSKeyId=a b', /SSEKMSKeyId in OBJECT_OPTIONS is "a b"/],
    ['ServerSideEncryption=aws:kms;BucketKeyEnabled=yes', /BucketKeyEnabled in OBJECT_OPTIONS is "yes"/],
    ['ACL=everybody', /ACL in OBJECT_OPTIONS is "everybody"\. .*bucket-owner-full-control/],
    ['Tagging=', /1 to 10 different tags/],
    ['Tagging==raw', /1 to 10 different tags/],
    ['Tagging=a=1&a=2', /1 to 10 different tags/],
    ['Tagging=team=a%3Cb', /1 to 10 different tags/],
    [`Tagging=${'k'.repeat(129)}=v`, /1 to 10 different tags/],
    [`Tagging=k=${'v'.repeat(257)}`, /1 to 10 different tags/],
    [`Tagging=${[...'abcdefghijk'].map(key => `${key}=1`).join('&')}`, /1 to 10 different tags/],
    ['CacheControl=', /plain ASCII/],
    ['CacheControl=é', /plain ASCII/],
  ] as const) {
    test(`${text} is refused`, () => {
      const { message, advice } = refuse({ OBJECT_OPTIONS: text })
      assert.match(`${message} ${advice}`, says)
    })
  }
  test('what is taken is what S3 has, whatever the text', () => {
    const names = ['StorageClass', 'ServerSideEncryption', 'SSEKMSKeyId', 'BucketKeyEnabled', 'ACL', 'Tagging']
    const word = fc.oneof(
      fc.constantFrom(...names, 'CacheControl', 'aws:kms', 'AES256', 'STANDARD', 'GLACIER', 'private', 'true', 'a=b&c'),
      fc.string({ maxLength: 12 }),
    )
    const pair = fc.oneof(
      fc.constantFrom('ACL=private', 'StorageClass=GLACIER', 'ServerSideEncryption=aws:kms', 'SSEKMSKeyId=alias/lake'),
      fc.tuple(fc.constantFrom('Tagging', 'CacheControl', 'SSEKMSKeyId'), word).map(parts => parts.join('=')),
      fc.tuple(word, word).map(parts => parts.join('=')),
    )
    const text = fc.array(pair, { maxLength: 4 }).map(pairs => pairs.join(';'))
    let taken = 0
    fc.assert(
      fc.property(text, given => {
        try {
          const options = parse({ OBJECT_OPTIONS: given }).objectOptions
          taken += Object.keys(options).length > 0 ? 1 : 0
          for (const [name, value] of Object.entries(options)) {
            assert.ok([...names, 'CacheControl'].includes(name), name)
            assert.match(String(value), /^[\x20-\x7e]+$/)
          }
        } catch (error) {
          assert.ok(error instanceof ConfigFailure, String(error))
        }
      }),
      { numRuns: 3000 },
    )
    assert.ok(taken > 200, `only ${taken} were taken`)
  })
})

describe('a profile', () => {
  const settings = { region: 'eu-west-1', endpoint_url: 'http://127.0.0.1:9000', ca_bundle: PEM.path }
  test('gives region, endpoint and authorities, and its endpoint makes addressing path-style', () => {
    const { s3 } = run({}, {}, [], settings).config
    assert.equal(s3.region, 'eu-west-1')
    assert.equal(s3.endpoint, 'http://127.0.0.1:9000')
    assert.equal(s3.forcePathStyle, true)
    assert.equal(s3.network.authorities, PEM.cert.trim())
  })
  for (const place of ['the environment', '.env']) {
    test(`is weaker than ${place}`, () => {
      const given = { AWS_DEFAULT_REGION: 'sa-east-1', AWS_ENDPOINT_URL: 'http://other:1', AWS_CA_BUNDLE: PEM.path }
      const bad = { region: '?', endpoint_url: '?', ca_bundle: '?' }
      const { s3 } = (place === '.env' ? run({}, given, [], bad) : run(given, {}, [], bad)).config
      assert.deepEqual([s3.region, s3.endpoint], ['sa-east-1', 'http://other:1'])
    })
  }
  for (const setting of ['region', 'endpoint_url', 'ca_bundle'] as const) {
    test(`whose ${setting} is no good is refused by its name`, () => {
      const failure = catchFailure(() => run({}, {}, [], { [setting]: '???' }))
      assert.ok(failure.message.startsWith(`${setting} of the profile lake `), failure.message)
      assert.equal(failure.exitCode, 2)
    })
  }
  test('whose endpoint holds the bucket is refused by its name', () => {
    const failure = catchFailure(() => run({}, {}, [], { endpoint_url: 'https://r2.example.com/landing-zone' }))
    assert.equal(failure.advice, 'Set endpoint_url of the profile lake to https://r2.example.com.')
  })
  for (const variant of ['use_fips_endpoint', 'use_dualstack_endpoint'] as const) {
    const name = `AWS_${variant.toUpperCase()}`
    test(`${variant} and a custom endpoint are refused, from wherever they come`, () => {
      const AWS_ENDPOINT_URL = 'http://127.0.0.1:9000'
      for (const attempt of [
        () => run({ AWS_ENDPOINT_URL }, {}, [], { [variant]: 'true' }),
        () => run({ [name]: 'true' }, {}, [], { endpoint_url: AWS_ENDPOINT_URL }),
        () => run({}, { [name]: 'true', AWS_ENDPOINT_URL }, [], {}),
      ]) {
        const failure = catchFailure(attempt)
        assert.ok(failure.message.startsWith(`${name} is true, and `), failure.message)
      }
      assert.ok(run({ AWS_ENDPOINT_URL, [name]: 'false' }, {}, [], { [variant]: 'true' }))
      assert.ok(run({ [name]: 'true' }, {}, [], {}))
    })
  }
})

describe('proxies', () => {
  const network = (environment: Variables, dotenv: Variables = {}) => parse(environment, dotenv).s3.network
  test('the name in lower case wins, as for curl', () =>
    assert.equal(network({ https_proxy: 'http://lower', HTTPS_PROXY: 'http://upper' }).httpsProxy, 'http://lower/'))
  test('the environment wins over .env, whatever the case', () =>
    assert.equal(network({ HTTPS_PROXY: 'http://here' }, { https_proxy: 'http://there' }).httpsProxy, 'http://here/'))
  test('ALL_PROXY stands in for both', () => {
    const { httpsProxy, httpProxy } = network({ all_proxy: 'http://all', HTTP_PROXY: 'http://plain' })
    assert.deepEqual([httpsProxy, httpProxy], ['http://all/', 'http://plain/'])
  })
})

describe('AWS_CA_BUNDLE', () => {
  const OTHER = makeCertificate('DNS:other.test')
  test('beside it NODE_EXTRA_CA_CERTS keeps working', () => {
    const { authorities = '' } = parse({ AWS_CA_BUNDLE: PEM.path, NODE_EXTRA_CA_CERTS: OTHER.path }).s3.network
    for (const { cert } of [PEM, OTHER]) assert.ok(authorities.includes(cert.trim()))
  })
  test('without it, NODE_EXTRA_CA_CERTS is left to Node', () =>
    assert.equal(parse({ NODE_EXTRA_CA_CERTS: '/not/there' }).s3.network.authorities, undefined))
})

describe('a name in .env that nothing reads', () => {
  for (const [name, meant] of [
    ['CONCURENCY', 'CONCURRENCY'],
    ['AWS_SECRET_ACESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
    ['AWS_ENDPOINT_URL_S', 'AWS_ENDPOINT_URL_S3'],
    ['DATADIR', 'DATA_DIR'],
    ['data_dir', 'DATA_DIR'],
    ['RUN_DATES', 'RUN_DATE'],
    ['SHRAD', undefined],
    ['DEBUGG', 'DEBUG'],
    ['AWS_PROFILE', undefined],
    ['FTP_PROXY', undefined],
    ['https_proxy', undefined],
    ['aws_session_token', undefined],
    ['TB', undefined],
    ['SOMETHING_ELSE', undefined],
  ] as const) {
    test(`${name}: ${meant ?? 'nothing'} was meant`, () =>
      assert.deepEqual(findMisspelt([name]), meant === undefined ? [] : [{ name, meant }]))
  }
  test('is warned of', () =>
    assert.deepEqual(run({}, { CONCURENCY: '3', CONCURRENCY: '4' }, [], {}).warnings, [
      '.env sets CONCURENCY, which nothing reads: CONCURRENCY was probably meant',
    ]))
  test('in the environment it is not looked at: others put names there', () =>
    assert.deepEqual(run({ CONCURENCY: '3' }, {}, [], {}).warnings, []))
  test('instead of BUCKET_NAME, it is named by the refusal', () => {
    const failure = catchFailure(() => run({ BUCKET_NAME: '' }, { BUKET_NAME: 'lake' }, [], {}))
    assert.equal(failure.advice, 'In .env, write BUCKET_NAME instead of BUKET_NAME.')
  })
})

describe('secrets in files', () => {
  const folder = makeTempFolder({ id: 'ID\n', secret: 's3cr3t', token: 't0k3n\r\n', empty: '', blank: '\n' })
  const path = (name: string) => join(folder, name)
  const ids = { AWS_ACCESS_KEY_ID_FILE: path('id'), AWS_SECRET_ACCESS_KEY_FILE: path('secret') }
  for (const place of ['the environment', '.env']) {
    const parseFrom = (given: Variables) => (place === '.env' ? parse({}, given) : parse(given)).s3.credentials
    test(`are read, without the line break at their end: ${place}`, () =>
      assert.deepEqual(parseFrom({ ...ids, AWS_SESSION_TOKEN_FILE: path('token') }), {
        accessKeyId: 'ID',
        secretAccessKey: 's3cr3t',
        sessionToken: 't0k3n',
      }))
    test(`may hold a part of the set: ${place}`, () =>
      assert.deepEqual(parseFrom({ AWS_ACCESS_KEY_ID: 'X', AWS_SECRET_ACCESS_KEY_FILE: path('secret') }), {
        accessKeyId: 'X',
        secretAccessKey: 's3cr3t',
      }))
    for (const name of SECRET_FILES) {
      for (const [file, says] of [
        ['missing', 'cannot be read (ENOENT).'],
        ['', 'cannot be read (EISDIR).'],
        ['empty', 'is empty.'],
        ['blank', 'is empty.'],
      ] as const) {
        test(`${name} of a file that is ${file || 'a folder'} is refused: ${place}`, () => {
          const given = { ...ids, [name]: path(file) }
          const { message } = place === '.env' ? refuseCredentials({}, given) : refuseCredentials(given)
          assert.equal(message, `The file that ${name} in ${place} names ${says}`)
        })
      }
    }
  }
  test('a secret that was put in place of its path is not repeated', () => {
    const given = { AWS_ACCESS_KEY_ID: 'X', AWS_SECRET_ACCESS_KEY_FILE: 's3cr3t/Marker' }
    const { message, advice } = refuseCredentials(given)
    assert.doesNotMatch(`${message} ${advice}`, /Marker/)
  })
  test('a value and its file are not both taken', () =>
    assert.equal(
      refuseCredentials({ ...ids, AWS_ACCESS_KEY_ID: 'X' }).message,
      'AWS_ACCESS_KEY_ID and AWS_ACCESS_KEY_ID_FILE are both set in the environment.',
    ))
  test('a file in the environment wins over a value in .env', () =>
    assert.equal(parse(ids, { AWS_ACCESS_KEY_ID: 'X', AWS_SECRET_ACCESS_KEY: 'y' }).s3.credentials?.accessKeyId, 'ID'))
})

describe('credentials', () => {
  const upper = (set: string) => ({
    AWS_ACCESS_KEY_ID: `ID-${set}`,
    AWS_SECRET_ACCESS_KEY: `secret-${set}`,
    AWS_SESSION_TOKEN: `token-${set}`,
  })
  const lower = (set: string) =>
    Object.fromEntries(Object.entries(upper(set)).map(([name, value]) => [name.toLowerCase(), value]))
  const picked = (set: string) => ({
    accessKeyId: `ID-${set}`,
    secretAccessKey: `secret-${set}`,
    sessionToken: `token-${set}`,
  })

  test('without any, the AWS default chain decides', () => assert.equal(parse().s3.credentials, undefined))
  test('blank ones are none', () => {
    const blank = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '' }
    assert.equal(parse(blank, blank).s3.credentials, undefined)
  })
  test('a session token is not made up', () =>
    assert.deepEqual(
      parse({ AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: '' }).s3.credentials,
      {
        accessKeyId: 'ID',
        secretAccessKey: 's',
      },
    ))

  const sources = [
    { label: 'the environment', environment: upper('A'), dotenv: {}, set: 'A' },
    { label: 'the environment in lower case', environment: lower('B'), dotenv: {}, set: 'B' },
    { label: '.env', environment: {}, dotenv: upper('C'), set: 'C' },
    { label: '.env in lower case', environment: {}, dotenv: lower('D'), set: 'D' },
  ]
  sources.forEach(({ label, set }, strongest) => {
    test(`${label} wins over every weaker source`, () => {
      const weaker = sources.slice(strongest)
      const environment = Object.assign({}, ...weaker.map(source => source.environment))
      const dotenv = Object.assign({}, ...weaker.map(source => source.dotenv))
      assert.deepEqual(parse(environment, dotenv).s3.credentials, picked(set))
    })
    test(`without an access key id in ${label}, its secret and token are not mixed into a weaker source's set`, () => {
      const { environment, dotenv } = sources[strongest] ?? { environment: {}, dotenv: {} }
      const withoutId = (variables: Variables) =>
        Object.fromEntries(Object.entries(variables).filter(([name]) => !/access_key_id/i.test(name)))
      const weakest = sources[3]
      if (weakest === undefined || weakest.set === set) return
      const given = parse({ ...withoutId(environment) }, { ...weakest.dotenv, ...withoutId(dotenv) }).s3.credentials
      assert.deepEqual(given, picked('D'))
    })
  })
  test("a token that another source has is not added to the environment's set", () =>
    assert.deepEqual(
      parse({ AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 's', aws_session_token: 'x' }, { AWS_SESSION_TOKEN: 'y' })
        .s3.credentials,
      { accessKeyId: 'ID', secretAccessKey: 's' },
    ))

  for (const [given, missing] of [
    ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'],
    ['AWS_SESSION_TOKEN', 'AWS_ACCESS_KEY_ID'],
    ['aws_access_key_id', 'aws_secret_access_key'],
    ['aws_secret_access_key', 'aws_access_key_id'],
  ] as const) {
    for (const place of ['the environment', '.env']) {
      test(`half a set is refused, naming what is missing: only ${given} in ${place}`, () => {
        const half = { [given]: 'x' }
        const { message } = place === '.env' ? refuseCredentials({}, half) : refuseCredentials(half)
        assert.equal(message, `Half a set of credentials: ${missing} is not set in ${place}.`)
      })
    }
  }
  test('half a set is not completed from another source', () =>
    void refuseCredentials({ AWS_ACCESS_KEY_ID: 'ID' }, upper('C')))
  for (const name of CREDENTIALS) {
    for (const value of [
      ...['"quoted"', "'quoted'", '"opened', "closed'"],
      ...['with space', 'two\nlines', ' leading', 'trailing\r', 'control\u0007'],
    ]) {
      test(`${name}=${JSON.stringify(value)} is refused as ill-copied, and not repeated`, () => {
        const { message } = refuseCredentials({ ...upper('A'), [name]: value })
        assert.equal(message, `${name} in the environment has a quote or white space in it.`)
      })
    }
  }
  test('a run that is wrong in both ways is told of its configuration first', () =>
    void refuse({ AWS_ACCESS_KEY_ID: 'ID', CONCURRENCY: 'x' }))
})

describe('arguments', () => {
  test('paths replace DATA_DIR', () =>
    assert.deepEqual(parse({ DATA_DIR: '/data' }, {}, ['a.csv', 'folder']).paths, ['a.csv', 'folder']))
  test('what follows -- is a path', () => assert.deepEqual(parse({}, {}, ['--', '--date']).paths, ['--date']))
  test('--date wins over RUN_DATE', () =>
    assert.equal(parse({ RUN_DATE: '2024-01-01' }, {}, ['--date', '2024-05-06']).runDate, '2024-05-06'))
  test('--json starts a run', () => assert.equal(parse({}, {}, ['--json']).s3.bucket, 'landing-zone'))
  for (const text of ['2023-02-29', 'yesterday', '']) {
    test(`--date ${JSON.stringify(text)} is refused`, () => {
      const { message } = refuse({ RUN_DATE: '2024-01-01' }, {}, [`--date=${text}`])
      assert.equal(message, `--date is ${JSON.stringify(text)}.`)
    })
  }
  for (const line of ['--verbose', '-v', '--date', '--date --json', '--json=yes', '--no-json', '--DATE=x']) {
    test(`${line} is refused in one sentence, with --help named`, () => {
      const { message, advice } = refuse({}, {}, line.split(' '))
      assert.match(message, /^[^.\n]+\.$/)
      assert.match(advice, /--help/)
    })
  }
  test('--dry-run is off unless it is given', () => {
    assert.deepEqual(
      [[], ['--dry-run']].map(argv => parse({}, {}, argv).rules.dryRun),
      [false, true],
    )
  })
  test('--version prints the version, whatever the environment is', () =>
    assert.equal(print(['--version']), `${version}\n`))
  test('--help names every setting with its default, whatever the environment is', () => {
    const lines = print(['--help', '--dry-run'], { CONCURRENCY: 'x' }).split('\n')
    for (const setting of SETTINGS) {
      const line = lines.find(candidate => candidate.trim().split(' ')[0] === setting.name)
      const value = describeDefault(setting)
      assert.ok(line?.endsWith(value === undefined ? setting.meaning : `${setting.meaning} [${value}]`), setting.name)
    }
  })
  test('--help begins with three examples and the five usual settings, and fits 100 columns', () => {
    const help = print(['--help'])
    for (const line of help.split('\n')) assert.ok(line.length <= 100, line)
    const [examples = ''] = /(?<=\nExamples:\n).*?\n\n/s.exec(help) ?? []
    assert.equal(examples.match(/data-raw-upload/g)?.length, 3)
    const groups = [...help.matchAll(/\n([A-Z][a-z ]+):\n((?: {2}[A-Z].*\n)+)/g)]
    const [, title, rows = ''] = groups.find(([, name = '']) => name !== 'Arguments' && name !== 'Examples') ?? []
    assert.equal(title, 'Usual settings')
    assert.equal(rows.trimEnd().split('\n').length, 5)
  })
})

describe('SHARDS', () => {
  const shardOf = (environment: Variables) => parse(environment).shard
  for (const index of ['JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX']) {
    test(`takes the share that ${index} says`, () =>
      assert.deepEqual(shardOf({ SHARDS: '4', [index]: '3' }), { index: 3, count: 4 }))
    for (const bad of ['4', '-1', 'x']) {
      test(`refuses ${index}=${bad} of 4`, () =>
        assert.ok(refuse({ SHARDS: '4', [index]: bad }).message.startsWith(index)))
    }
    test(`without it, ${index} means nothing`, () => assert.equal(shardOf({ [index]: '3' }), undefined))
  }
  for (const shards of ['0', 'x', '1.5', '100001']) {
    test(`refuses ${shards}`, () =>
      assert.match(refuse({ SHARDS: shards, JOB_COMPLETION_INDEX: '0' }).message, /^SHARDS is/))
  }
  test('without an index nobody knows which share to take', () =>
    assert.match(refuse({ SHARDS: '4' }).message, /neither JOB_COMPLETION_INDEX nor AWS_BATCH_JOB_ARRAY_INDEX/))
  test('beside SHARD it is refused', () =>
    assert.match(refuse({ SHARD: '0/2', SHARDS: '2' }).message, /^SHARD and SHARDS are both set/))
})

test('no part of the configuration can be changed', () => {
  const assertFrozen = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    assert.ok(Object.isFrozen(value), JSON.stringify(value))
    for (const inner of Object.values(value)) assertFrozen(inner)
  }
  assertFrozen(parse({ AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 's', SHARD: '0/2' }, {}, ['a.csv']))
})

test('parsing changes neither the environment nor .env', () => {
  const environment = Object.freeze({ ...REQUIRED, AWS_REGION: '' })
  const dotenv = Object.freeze({ AWS_REGION: 'eu-west-1' })
  parseConfig({ argv: [], environment, dotenv, profile: NO_PROFILE }, NOW)
})

/** Whatever a person, a broken script or a broken file may have put into a variable. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...'{}:/\'".-sSdyMH0129@#? \n\0\ud800aé'), maxLength: 40 }),
  fc.constantFrom(...TABLE.flatMap(row => [...row.accepted.map(each => asPair(each)[0]), ...(row.refused ?? [])])),
  fc.constantFrom('__proto__', 'constructor', 'toString', '{__proto__}{file}', '{file}{date:constructor}'),
)

test('any text for any setting is taken, or refused by a failure that names the setting', () => {
  const names = SETTINGS.map(setting => setting.name)
  const base = { AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 's' }
  fc.assert(
    fc.property(fc.constantFrom(...names), anyText, fc.boolean(), (name, text, isInDotenv) => {
      const given = { ...base, [name]: isInDotenv ? undefined : text }
      // A set of credentials is taken whole, so for these the base moves along.
      const dotenv = isInDotenv ? { ...base, [name]: text } : {}
      const environment = isInDotenv ? { [name]: undefined } : given
      try {
        parse(environment, dotenv)
      } catch (error) {
        assert.ok(error instanceof Failure, String(error))
        assert.ok(error.message.includes(name), error.message)
      }
    }),
    { numRuns: 3000 },
  )
})

test('no failure repeats a secret, wherever it stands and whatever else is wrong', () => {
  const marker = 'S3cr3tMarker'
  const secret = fc
    // Quotes and spaces make it ill-copied, which is refused.
    .array(fc.string({ unit: fc.constantFrom(...'aé"\' #@/?'), maxLength: 3 }), { minLength: 2, maxLength: 2 })
    .map(([before, after]) => `${before}${marker}${after}`)
  const slots = ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'aws_secret_access_key', 'aws_session_token']
  const ids = ['AWS_ACCESS_KEY_ID', 'aws_access_key_id']
  const source = fc.dictionary(
    fc.constantFrom(...slots, ...slots, ...ids, 'AWS_ENDPOINT_URL'),
    fc.oneof(secret, fc.constant('')),
    { maxKeys: 7 },
  )
  const asVariables = (given: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        ids.includes(name) && value !== '' ? 'ID' : name === 'AWS_ENDPOINT_URL' ? `https://user:${value}@host` : value,
      ]),
    )
  const setting = fc.constantFrom(...TABLE.map(row => row.name))
  let failures = 0
  fc.assert(
    fc.property(source, source, setting, anyText, (environment, dotenv, name, text) => {
      try {
        parse({ ...asVariables(environment), [name]: text }, asVariables(dotenv))
      } catch (error) {
        assert.ok(error instanceof Failure, String(error))
        failures += 1
        assert.ok(!`${error.message} ${error.advice}`.includes(marker), error.message)
      }
    }),
    { numRuns: 3000 },
  )
  assert.ok(failures > 500, `only ${failures} refusals were looked at`)
})
