import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ConfigFailure, FileFailure } from '../../../src/errors'
import { buildKey, type Layout, prepareKeys } from '../../../src/key/build-key'
import { parseLayout } from '../../../src/key/layout'
import { catchFailure } from '../../support/failure'
import { inZone } from '../../support/zone'

const NAMES = { layer: 'Raw', source: 'Local', format: 'CSV' }
const DATE = '2024-10-21'
const PLAIN = parseLayout('plain', NAMES)
const HIVE = parseLayout('hive', NAMES)
const template = (text: string): Layout => parseLayout(text, NAMES)

function refuseKeyOf(name: string, layout = PLAIN): FileFailure {
  const failure = catchFailure(() => buildKey(name, DATE, layout))
  assert.ok(failure instanceof FileFailure)
  assert.deepEqual([failure.code, failure.exitCode, failure.retryable], ['key_not_possible', 1, false])
  return failure
}

/** The refusal of a layout, which is a matter of the configuration. */
function refuseLayout(text: string, names = NAMES): ConfigFailure {
  const failure = catchFailure(() => parseLayout(text, names))
  assert.ok(failure instanceof ConfigFailure)
  assert.deepEqual([failure.code, failure.exitCode], ['bad_config', 2])
  return failure
}

describe('the layouts of the contract', () => {
  for (const [layout, key] of [
    ['plain', 'Raw/Local/CSV/Movies/2024/10/21/movies.csv'],
    ['hive', 'raw/local/csv/movies/year=2024/month=10/day=21/movies.csv'],
    ['{layer}/{source}/{format}/{dataset}/{date:yyyy-MM-dd}/{file}', 'Raw/Local/CSV/Movies/2024-10-21/movies.csv'],
  ] as const) {
    test(layout, () => assert.equal(buildKey('movies.csv', DATE, template(layout)), key))
  }
  test('the first three parts are those that were set; hive writes them in lower case', () => {
    const names = { layer: 'Bronze', source: 'IMDb', format: 'Csv' }
    for (const [layout, key] of [
      ['plain', 'Bronze/IMDb/Csv/M/2024/10/21/m.csv'],
      ['hive', 'bronze/imdb/csv/m/year=2024/month=10/day=21/m.csv'],
      ['{layer}+{source}+{format}/{file}', 'Bronze+IMDb+Csv/m.csv'],
    ] as const) {
      assert.equal(buildKey('m.csv', DATE, parseLayout(layout, names)), key)
    }
  })
  test('hive leaves the name of the file as it is', () =>
    assert.ok(buildKey('sub/Movies.CSV', DATE, HIVE).endsWith('/day=21/sub/Movies.CSV')))
})

describe('the dataset names of the contract', () => {
  for (const [file, plain, hive] of [
    ['movies.csv', 'Movies', 'movies'],
    ['tv_shows-2024.CSV', 'TvShows2024', 'tv_shows_2024'],
    ['tvShows.csv', 'TvShows', 'tvshows'],
    ['IMDB.csv', 'IMDB', 'imdb'],
    ['2024-10.csv', '202410', '2024_10'],
    ['séries.br.csv', 'SériesBr', 'séries_br'],
    ['a.csv.csv', 'ACsv', 'a_csv'],
    ['.hidden.csv', 'Hidden', 'hidden'],
    ['  two  words  .csv', 'TwoWords', 'two_words'],
    ['映画.csv', '映画', '映画'],
    ['𐐨deseret.csv', '𐐀deseret', '𐐨deseret'],
    ['folder_x/tv-shows.csv', 'TvShows', 'tv_shows'],
    // No composed form exists for this letter and its mark: they stay together.
    ['x\u0323y.csv', 'X\u0323y', 'x\u0323y'],
  ] as const) {
    test(file, () => {
      assert.equal(buildKey(file, DATE, template('{dataset}/{file}')), `${plain}/${file}`.normalize('NFC'))
      assert.equal(buildKey(file, DATE, PLAIN).split('/')[3], plain)
      assert.equal(buildKey(file, DATE, HIVE).split('/')[3], hive)
    })
  }
  for (const file of ['.csv', '--.csv', '..csv', '_.CSV', 'folder/.csv']) {
    test(`${file} is refused: no dataset name`, () => {
      for (const layout of [PLAIN, HIVE]) assert.match(refuseKeyOf(file, layout).message, /no letter or digit/)
    })
  }
  test('a template that does not ask for a dataset takes a file that has none', () =>
    assert.equal(buildKey('--.csv', DATE, template('in/{file}')), 'in/--.csv'))
})

test('a composed and a decomposed name (as macOS writes it) give one key, and that is composed', () => {
  const composed = 'séries/áéíõü-각.csv'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  assert.notEqual(composed, decomposed)
  for (const layout of [PLAIN, HIVE, template('{dataset}/{file}')]) {
    const key = buildKey(decomposed, DATE, layout)
    assert.equal(key, buildKey(composed, DATE, layout))
    assert.equal(key, key.normalize('NFC'))
  }
})

describe('templates', () => {
  for (const [tokens, written] of [
    ['yyyy-MM-dd', '2024-10-21'],
    ['yyyy/MM/dd', '2024/10/21'],
    ['yyyyMMdd', '20241021'],
    ['yy', '24'],
    ['MMM', 'Oct'],
    ['MMMM do', 'October 21st'],
    ['EEEE', 'Monday'],
    ['QQQ', 'Q4'],
    ["RRRR-'W'II", '2024-W43'],
    ['DDD', '295'],
    ["yyyy'T'MM", '2024T10'],
    ["'HH:mm' yyyy", 'HH:mm 2024'],
    ["''yy", "'24"],
    ["'o''clock' dd", "o'clock 21"],
  ] as const) {
    test(`{date:${tokens}} writes ${written}`, t => {
      const warn = t.mock.method(console, 'warn', () => undefined)
      assert.equal(buildKey('a.csv', DATE, template(`{date:${tokens}}/{file}`)), `${written}/a.csv`)
      assert.equal(warn.mock.callCount(), 0, 'the date library wrote to the terminal')
    })
  }
  // A calendar date has no time of day and no zone, and some tokens are another's common misspelling.
  for (const tokens of [
    ...['H', 'HH', 'h', 'hh', 'K', 'k', 'mm', 'ss', 'SSS', 'a', 'aaa', 'b', 'B', 'yyyyMMddHH', 'yyyy-MM-dd HH:mm'],
    ...['x', 'X', 'XXX', 'O', 'z', 't', 'T', 'p', 'pp', 'PPp', 'PPPppp', 'n', 'yyyy-n', "yyyy'HH", "'a'HH'b'"],
    ...['YYYY', 'YY', 'D', 'DD', 'YYYY-MM-DD', 'D-D'],
  ]) {
    test(`{date:${tokens}} is refused`, t => {
      const warn = t.mock.method(console, 'warn', () => undefined)
      const { message } = refuseLayout(`{date:${tokens}}/{file}`)
      assert.ok(message.includes(`{date:${tokens}} cannot be filled in`), message)
      assert.equal(warn.mock.callCount(), 0, 'the date library wrote to the terminal')
    })
  }
  for (const text of [
    ...['', 'movies', '{layer}', '{dataset}/{date:yyyy}', 'file', '{FILE}', '{ file }'],
    ...['{file}{', '{file}}', '{{file}}', '}{file}', '{file}{layer', '{file}{}', '{file}{name}', '{file}{date}'],
    ...['{file}{date:}', '{file}{date:{layer}}', '{file}{__proto__}', '{file}{constructor}', '{file}{layer }'],
  ]) {
    test(`${JSON.stringify(text)} is refused, and repeated in the refusal`, () => {
      const { message, advice } = refuseLayout(text)
      assert.ok(message.startsWith(`KEY_LAYOUT is ${JSON.stringify(text)}: `), message)
      assert.match(advice, /plain, hive, or a template/)
    })
  }
  test('every place holder is filled wherever and however often it stands', () =>
    assert.equal(buildKey('a.csv', DATE, template('{file}/{file}-{date:dd}{date:dd}{layer}')), 'a.csv/a.csv-2121Raw'))
  test('a name or a value that looks like a place holder is not filled in again', () => {
    const layout = parseLayout('{layer}/{source}/{file}', { ...NAMES, layer: '{file}', source: '$&' })
    assert.equal(buildKey('{layer}$1.csv', DATE, layout), '{file}/$&/{layer}$1.csv')
  })
})

describe('keys that S3 or a client could not hold', () => {
  const base = Buffer.byteLength(buildKey('a.csv', DATE, template('{date:yyyy}/{file}'))) - 1
  for (const [what, filler, length] of [
    ['letters', 'a', 1024 - base],
    // Two bytes each, after an x that makes the number even.
    ['letters of two bytes', 'é', (1024 - base - 1) / 2],
  ] as const) {
    const prefix = 1024 - base - Buffer.byteLength(filler) * Math.floor(length)
    const name = `${'x'.repeat(prefix)}${filler.repeat(Math.floor(length))}.csv`
    test(`1,024 bytes of ${what} are allowed`, () =>
      assert.equal(Buffer.byteLength(buildKey(name, DATE, template('{date:yyyy}/{file}'))), 1024))
    test(`1,025 bytes of ${what} are refused, with the number`, () =>
      assert.match(refuseKeyOf(`x${name}`, template('{date:yyyy}/{file}')).message, /1025 bytes.*1024/))
  }
  test('the bytes are those of the composed form', () => {
    const name = `${'é'.repeat(507).normalize('NFD')}aaaa.csv`
    assert.ok(Buffer.byteLength(name) > 1024)
    assert.equal(Buffer.byteLength(buildKey(name, DATE, template('i/{file}'))), 1024)
  })
  for (const name of ['a\nb.csv', 'a\tb.csv', '\0.csv', 'a\u007f.csv', 'a\u0085.csv', 'a\u001b[31m.csv']) {
    test(`a control character: ${JSON.stringify(name)}`, () =>
      assert.match(refuseKeyOf(name, template('{file}')).message, /control character/))
  }
  for (const name of ['\ud800a.csv', 'a\udfff.csv', 'a\ud83d.csv', 'not-utf8-\ufffd.csv']) {
    test(`half a character: ${JSON.stringify(name)}`, () =>
      assert.match(refuseKeyOf(name).message, /not valid Unicode/))
  }
  test('a whole character of two halves is allowed', () =>
    assert.ok(buildKey('🎬a.csv', DATE, PLAIN).endsWith('/🎬a.csv')))
  for (const text of [
    ...['/{file}', 'a//{file}', '{file}/', '../../{file}', 'a/./{file}', '../../../{file}', 'a/../{file}', '{file}/..'],
  ]) {
    test(`an empty, "." or ".." part of the layout is refused with the configuration: ${text}`, () =>
      assert.match(refuseLayout(text).message, /KEY_LAYOUT make no possible key: .* part does not survive/))
  }
  for (const layer of ['Raw/', '/Raw', 'Raw//v1', '..', 'Raw/.']) {
    test(`an empty, "." or ".." part of the layer is, too: ${layer}`, () =>
      void refuseLayout('hive', { ...NAMES, layer }))
  }
  for (const name of ['a//b.csv', '../../b.csv', '../../../b.csv', 'a/../b.csv', '/b.csv']) {
    test(`an empty, "." or ".." part in the name: ${name}`, () => assert.match(refuseKeyOf(name).message, /part/))
  }
  test('dots that are part of a longer name are allowed', () =>
    assert.equal(buildKey('..a../...b.csv', DATE, template('in/{file}')), 'in/..a../...b.csv'))
})

test('a sub-folder stays between the date and the name', () => {
  assert.equal(buildKey('sub/deep.csv', DATE, PLAIN), 'Raw/Local/CSV/Deep/2024/10/21/sub/deep.csv')
  assert.equal(buildKey('a/b c/d.csv', DATE, HIVE), 'raw/local/csv/d/year=2024/month=10/day=21/a/b c/d.csv')
})

describe('two files on one key', () => {
  const collide = (layout: Layout, ...names: string[]) =>
    prepareKeys(
      names.map((name, index) => ({ name, path: `/${index}/${name}` })),
      DATE,
      layout,
    )
  test('are refused, naming both and the key', () => {
    const failure = catchFailure(() => collide(HIVE, 'a.csv', 'b.csv', 'a.csv'))
    assert.ok(failure instanceof ConfigFailure)
    assert.deepEqual([failure.code, failure.exitCode], ['key_collision', 2])
    assert.equal(
      failure.message,
      '/0/a.csv and /2/a.csv would both land on the key raw/local/csv/a/year=2024/month=10/day=21/a.csv.',
    )
  })
  test('are those whose names differ in Unicode form only', () =>
    assert.throws(() => collide(PLAIN, 'é.csv'.normalize('NFC'), 'é.csv'.normalize('NFD')), ConfigFailure))
  test('are not files whose keys differ in case only', () => void collide(PLAIN, 'a.csv', 'A.csv'))
  test('are not files that have no key', () => void collide(PLAIN, '.csv', '.csv', 'c.csv'))
})

/** Names that have a key, in many scripts and both Unicode forms, in sub-folders too. */
const segment = fc
  .string({
    unit: fc.oneof(fc.constantFrom(...'aZ9 ._-é각ñ{}$='), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
  })
  .map(text => `x${text.replace(/[\p{Cc}\p{Cs}\uFFFD/]/gu, '')}`.slice(0, 60).replace(/[\uD800-\uDBFF]$/, ''))
const fileName = fc
  .tuple(fc.array(segment, { maxLength: 2 }), segment, fc.constantFrom('.csv', '.CSV', '.Csv'), fc.boolean())
  .map(([folders, base, suffix, isComposed]) =>
    [...folders, `${base}${suffix}`].join('/').normalize(isComposed ? 'NFC' : 'NFD'),
  )
const calendarDate = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
  .map(date => date.toISOString().slice(0, 10))

test('a key ends with the composed name, holds the date, and has 1,024 bytes at most', () => {
  fc.assert(
    fc.property(fileName, calendarDate, (name, date) => {
      const [year, month, day] = date.split('-')
      for (const [layout, dated] of [
        [PLAIN, `/${year}/${month}/${day}/`],
        [HIVE, `/year=${year}/month=${month}/day=${day}/`],
      ] as const) {
        const key = buildKey(name, date, layout)
        assert.ok(key.endsWith(`${dated}${name.normalize('NFC')}`), key)
        assert.ok(Buffer.byteLength(key) <= 1024)
      }
    }),
    { numRuns: 1000 },
  )
})

test('two names that differ in more than their Unicode form never give one key under plain', () => {
  // Two unrelated names hardly ever come close, so one is made from the other.
  const variants: readonly ((name: string) => string)[] = [
    name => name.normalize('NFC'),
    name => name.normalize('NFD'),
    name => name.toUpperCase(),
    name => name.replace('x', 'X'),
    name => name.replace(/[ ._-]/, '_'),
    name => name.replace('/', '_'),
    name => name.replace('/x', '/'),
    name => name.slice(1),
  ]
  const pair = fc.oneof(
    fc.tuple(fileName, fileName),
    fc.tuple(fileName, fc.constantFrom(...variants)).map(([name, vary]) => [name, vary(name)] as const),
  )
  const keyOf = (name: string) => {
    try {
      return buildKey(name, DATE, PLAIN)
    } catch (error) {
      assert.ok(error instanceof FileFailure, String(error))
      return undefined
    }
  }
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const keys = [keyOf(a), keyOf(b)]
      if (keys.includes(undefined)) return
      assert.equal(keys[0] === keys[1], a.normalize('NFC') === b.normalize('NFC'))
    }),
    { numRuns: 2000 },
  )
})

// Apia had no 30 December 2011, Kwajalein no 21 August 1993; São Paulo had days that began at 01:00.
const ZONES = ['UTC', 'Pacific/Apia', 'Pacific/Kwajalein', 'America/Sao_Paulo', 'Asia/Tokyo', 'Pacific/Pago_Pago']
const FULL = template("{date:yyyy-MM-dd EEEE DDD RRRR-'W'II PPPP}/{file}")

for (const date of ['2024-10-21', '2018-11-04', '2011-12-30', '1993-08-21', '1993-08-20', '2024-02-29', '0099-01-01']) {
  test(`${date} is written alike in every time zone`, () => {
    const keys = ZONES.map(zone => inZone(zone, () => buildKey('a.csv', date, FULL)))
    assert.ok(keys[0]?.startsWith(`${date} `), keys[0])
    assert.deepEqual([...new Set(keys)], [keys[0]])
  })
}

test('no date depends on the time zone of the process', () => {
  fc.assert(
    fc.property(calendarDate, fc.constantFrom(...ZONES), (date, zone) => {
      const elsewhere = inZone(zone, () => buildKey('a.csv', date, FULL))
      assert.equal(
        elsewhere,
        inZone('UTC', () => buildKey('a.csv', date, FULL)),
      )
    }),
    { numRuns: 300 },
  )
})
