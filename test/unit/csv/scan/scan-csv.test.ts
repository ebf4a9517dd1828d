import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { type CsvFault, type CsvShape, createCsvScanner } from '../../../../src/csv/scan/scan-csv'

/**
 * Hands over pieces in one buffer that is overwritten after each, as a caller that reuses its buffer does.
 * @param size of the pieces in bytes, @param head how many bytes come in one piece before them.
 */
function scan(content: string | Uint8Array, size = Number.POSITIVE_INFINITY, alignment = 0, head = 0): CsvShape {
  const bytes = Buffer.from(content)
  const scanner = createCsvScanner()
  const memory = Buffer.alloc(Math.max(head, Math.min(size, bytes.length)) + alignment)
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + (from < head ? head : size))
    const piece = memory.subarray(alignment, alignment + to - from)
    bytes.copy(piece, 0, from, to)
    scanner.update(piece)
    piece.fill('"')
    from = to
  }
  return scanner.end()
}

const codesOf = (shape: CsvShape) => shape.faults.map(fault => fault.code)

function theFault(content: string | Uint8Array): CsvFault {
  const { faults } = scan(content)
  assert.equal(faults.length, 1, JSON.stringify(faults))
  return faults[0] as CsvFault
}

const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16()
const MARK = '\ufeff'

// The names are those of the files in csv-spectrum.
const SHAPES: readonly [string, string | Uint8Array, Partial<CsvShape>][] = [
  ['simple', 'a,b,c\n1,2,3', { columns: 3, rows: 1, header: true, lineEnd: 'lf', delimiter: ',' }],
  ['simple_crlf', 'a,b,c\r\n1,2,3', { columns: 3, rows: 1, lineEnd: 'crlf' }],
  ['bare cr', 'a,b,c\r1,2,3\r', { columns: 3, rows: 1, lineEnd: 'cr' }],
  ['comma_in_quotes', 'first,last\nJohn,"120 any st., ""X"""\n', { columns: 2, rows: 1 }],
  ['empty', 'a,b,c\n1,"",""\n2,3,4', { columns: 3, rows: 2 }],
  ['empty_crlf', 'a,b,c\r\n1,"",""\r\n2,3,4\r\n', { columns: 3, rows: 2, lineEnd: 'crlf' }],
  ['escaped_quotes', 'a,b\n1,"ha ""ha"" ha"\n3,4\n', { columns: 2, rows: 2 }],
  ['json', 'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n', { columns: 2, rows: 1 }],
  ['newlines', 'a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,8,9\n', { columns: 3, rows: 3, lineEnd: 'lf' }],
  ['newlines_crlf', 'a,b\r\n"Once\r\nupon\na time",5\r\n', { columns: 2, rows: 1, lineEnd: 'crlf' }],
  ['quotes_and_newlines', 'a,b\n1,"ha \n""ha"" \nha"\n3,4\n', { columns: 2, rows: 2 }],
  ['utf8', 'a,b,c\n1,2,3\n4,5,ʤ\n', { columns: 3, rows: 2, encoding: 'utf-8' }],
  ['utf8 with mark', `${MARK}a,b\n1,2\n`, { columns: 2, rows: 1, encoding: 'utf-8-bom' }],
  ['a quoted first field behind a mark', `${MARK}"a,x",b\n1,2\n`, { columns: 2, rows: 1, encoding: 'utf-8-bom' }],
  ['utf-16le with mark', Buffer.from(`${MARK}ä,b\n1,ʤ😀\n`, 'utf16le'), { columns: 2, rows: 1, encoding: 'utf-16le' }],
  ['utf-16be with mark', utf16be(`${MARK}ä,b\r\n1,ʤ😀\r\n`), { rows: 1, encoding: 'utf-16be', lineEnd: 'crlf' }],
  ['utf-16le', Buffer.from('a;b\n1;2\n', 'utf16le'), { encoding: 'utf-16le', delimiter: ';', columns: 2 }],
  ['utf-16be', utf16be('a\tb\n1\t2\n'), { encoding: 'utf-16be', delimiter: '\t', columns: 2 }],
  ['one column', 'name\nAnn\nBob\n', { columns: 1, rows: 2, delimiter: null }],
  ['blank lines', '\n\na,b\n\r\n1,2\n\n', { columns: 2, rows: 1, lineEnd: 'mixed' }],
  ['semicolons, decimal commas', 'a;b;c\n1,5;2,5;3,5\n1,0;2,0;3,0\n', { delimiter: ';', columns: 3 }],
  ['pipes, commas in text', 'id|name|x\n1|Doe, Ann|3\n2|Roe, Bob|4\n', { delimiter: '|', columns: 3 }],
  ['semicolons in quotes', 'a,b\n"1;2;3",4\n"5;6;7",8\n', { delimiter: ',', columns: 2 }],
  [
    'semicolons under a title',
    'Report 2024, draft\na;b;c\n1;2;3\n4;5;6\n7;8;9\n',
    { delimiter: ';', columns: 3, rows: 3 },
  ],
  ['semicolons, decimal commas, a long row', 'a;b\nx;1,5\ny;2,5;\nz;3,5\n', { delimiter: ';', columns: 2 }],
  ['numbers only', '1,2\n3,4\n', { header: false, rows: 2 }],
  ['a date in the first record', 'Ann,2024-05-01T10:00:00Z\nBob,2024-05-02T10:00:00Z\n', { header: false }],
  ['names with digits', 'q1,2nd_quarter\nx,y\n', { header: true }],
]

for (const [name, content, expected] of SHAPES) {
  test(`tells the shape of: ${name}`, () => {
    const shape = scan(content)
    for (const [key, value] of Object.entries(expected)) assert.equal(shape[key as keyof CsvShape], value, key)
    assert.deepEqual(
      codesOf(shape).filter(code => !['mixed_line_ends', 'ragged_rows', 'title_above_header'].includes(code)),
      [],
    )
  })
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')

const FAULTS: readonly [string, string | Uint8Array, Partial<CsvFault>, RegExp][] = [
  ['nothing at all', '', { code: 'empty' }, /empty/],
  ['only a byte order mark', MARK, { code: 'empty' }, /empty/],
  ['only blanks', ' \r\n \n', { code: 'empty' }, /empty/],
  ['a header only', 'id,name\n', { code: 'header_only' }, /no data/],
  [
    'a name twice',
    'id,na\u001b\u0085me,na\u001b\u0085me,id,id\n1,2,3,4,5\n',
    { code: 'duplicate_header', count: 2 },
    /2 .*"na\\u001b\\u\{85\}me", "id"\.$/,
  ],
  [
    'a long name twice',
    `${'x'.repeat(99)},${'x'.repeat(99)}\n1,2\n`,
    { code: 'duplicate_header', count: 1 },
    /1 .* "x{40}"\.$/,
  ],
  ['columns without a name', 'id,, ,x\n1,2,3,4\n', { code: 'blank_header', count: 2 }, /2 .*: 2, 3\.$/],
  [
    'a short row',
    'a,b\n\n"x\ny\nz"\n1,2\n',
    { code: 'ragged_rows', line: 3, count: 1 },
    /1 row .* 2 fields .*line 3 has 1\.$/,
  ],
  [
    'many ragged rows',
    `a,b\n${'1\n1,2\n1,2,3\n'.repeat(9)}`,
    { code: 'ragged_rows', line: 2, count: 18 },
    /18 .*line 2 has 1, line 4 has 3, line 5 has 1, line 7 has 3, line 8 has 1, …/,
  ],
  ['too long a last row', 'a,b\n1,2,3', { code: 'ragged_rows', line: 2, count: 1 }, /line 2 has 3/],
  ['a last row cut off', 'a,b,c\n1,2,3\n4,5', { code: 'cut_off', line: 3 }, /line 3.* 2 of 3/],
  ['a last row cut off after a delimiter', 'a,b,c\n1,2,3\n4,', { code: 'cut_off', line: 3 }, /2 of 3/],
  ['a short last row that is not cut off', 'a,b,c\n1,2,3\n4,5\n', { code: 'ragged_rows', line: 3 }, /line 3 has 2/],
  ['a quote left open', 'a,b\n"1\n2","x\r\ny","z\n3,4\n', { code: 'unclosed_quote', line: 4 }, /line 4/],
  ['a quote left open in the last line', 'a,b\n"\n","1', { code: 'unclosed_quote', line: 3 }, /line 3/],
  ['a quote left open over lines', 'a,b\n"\n","1\r\n\r\n2', { code: 'unclosed_quote', line: 3 }, /line 3/],
  ['a quote left open behind a closed one', 'a,b\n1,"x\ny"\n2,"z\nw', { code: 'unclosed_quote', line: 4 }, /line 4/],
  [
    'a quote in unquoted text',
    'a,b\n1,6" x 4"\n2,x"\n',
    { code: 'stray_quote', line: 2, count: 2 },
    /2 fields .*line 2/,
  ],
  ['text behind a closing quote', 'a,b\n1,"x" \n', { code: 'stray_quote', line: 2, count: 1 }, /1 field .*line 2/],
  [
    'quotes escaped by a backslash',
    'a,b\n1,2\n1,"x \\" y"\n',
    { code: 'backslash_quotes', line: 3, count: 1 },
    /1 quote is escaped by a backslash, the first in line 3.*Spark/,
  ],
  ['NULs', 'a,b\r\n1,2\r\n1,\0\0\r\n\0,4\r\n', { code: 'nul_bytes', line: 3, count: 3 }, /3 NUL bytes.*line 3/],
  ['a hole of NULs', `a,b\n1,${'\0'.repeat(40)}\n`, { code: 'nul_bytes', line: 2, count: 40 }, /40 NUL bytes/],
  [
    'a byte of Windows-1252',
    latin1('a,b\n1,2\n3,Caf\xe9\n'),
    { code: 'invalid_utf8', line: 3, offset: 13 },
    /Byte 13 \(line 3\).*Windows-1252/,
  ],
  [
    'a character cut off at the end',
    latin1('a,b\n1,\xe2\x82'),
    { code: 'invalid_utf8', line: 2, offset: 6 },
    /Byte 6 /,
  ],
  ['an overlong character', latin1('a,b\n1,\xe0\x80\x80\n'), { code: 'invalid_utf8', line: 2, offset: 6 }, /Byte 6 /],
  [
    'bad UTF-8 behind a mark',
    latin1('\xef\xbb\xbfa,b\n1,\xff\n'),
    { code: 'invalid_utf8', line: 2, offset: 9 },
    /Byte 9 /,
  ],
  ['LF and CRLF', 'a,b\n1,2\r\n', { code: 'mixed_line_ends' }, /LF and CRLF/],
  ['LF and CR', 'a,b\n1,2\r3,4\n', { code: 'mixed_line_ends' }, /LF and CR\./],
  ['CR at the very end', 'a,b\n1,2\r', { code: 'mixed_line_ends' }, /LF and CR\./],
  ['gzip', latin1('\x1f\x8b\x08\0\0,"\n'), { code: 'not_csv' }, /gzip/],
  ['XLSX', latin1('PK\x03\x04\x14\0,"\n'), { code: 'not_csv' }, /ZIP/],
  ['XLS', latin1('\xd0\xcf\x11\xe0\xa1\xb1'), { code: 'not_csv' }, /Excel/],
  ['Parquet', latin1('PAR1\x15\x04,"\n'), { code: 'not_csv' }, /Parquet/],
  ['PDF', '%PDF-1.7\n', { code: 'not_csv' }, /PDF/],
]

for (const [name, content, expected, message] of FAULTS) {
  test(`reports as the only fault: ${name}`, () => {
    const fault = theFault(content)
    for (const [key, value] of Object.entries(expected)) assert.equal(fault[key as keyof CsvFault], value, key)
    assert.match(fault.message, message)
    assert.doesNotMatch(fault.message, /[\n\r]/)
  })
}

test('takes what is not UTF-8 for Windows-1252', () => {
  assert.equal(scan(latin1('a,b\n1,Caf\xe9\n')).encoding, 'windows-1252')
})

test('does not take a column named PAR1 for Parquet', () => {
  assert.deepEqual(scan('PAR1,PAR2\n1,2\n').faults, [])
})

test('counts a record whose quote is never closed, or that is cut off', () => {
  assert.equal(scan('a,b\n1,"2\n').rows, 1)
  assert.equal(scan('a,b\n1,2\n3').rows, 2)
  assert.equal(scan('"a').columns, 1)
})

test('counts a character of UTF-16 that is cut off at the end', () => {
  const shape = scan(Buffer.concat([Buffer.from('a,b\n1,2\n', 'utf16le'), latin1('3')]))
  assert.deepEqual([shape.rows, codesOf(shape)], [2, ['invalid_utf16', 'cut_off']])
})

test('reads on where the sample ends', () => {
  const content = 'a,bc\n'.repeat(30_000)
  for (const size of [1000, 65_535, 65_536, 65_537, 1e6]) {
    const { rows, faults } = scan(content, size)
    assert.deepEqual([rows, faults.map(fault => fault.code)], [29_999, []])
  }
})

test('a large file stays UTF-8, however many of its many characters are broken', () => {
  const lines = 600_000
  const { encoding, faults } = scan(
    latin1(`id,text\n${'1,\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xff\n'.repeat(lines)}`),
  )
  assert.equal(encoding, 'utf-8')
  assert.deepEqual(
    faults.map(({ code, count }) => [code, count]),
    [['invalid_utf8', lines]],
  )
})

test('does not miss the name of a column where the sample ends', () => {
  const names = Array.from({ length: 10_000 }, (_, column) => `x${column + 100_000}`)
  assert.deepEqual(scan(`${names}\n${names}\n`), { ...scan('a,b\nc,d\n'), columns: 10_000 })
})

test('a line of 2 GiB takes no more memory than a short one, and what is behind it is found at its place', () => {
  const scanner = createCsvScanner()
  scanner.update(latin1('id,title\n1,"'))
  const text = Buffer.alloc(2 ** 20, 'some text, and more; ')
  const before = process.memoryUsage().rss
  for (let pieces = 0; pieces < 2 ** 11; pieces++) scanner.update(text)
  const grown = process.memoryUsage().rss - before
  scanner.update(latin1('"\n2,\xff\n3'))
  const { rows, columns, faults } = scanner.end()
  assert.deepEqual([rows, columns], [3, 2])
  assert.deepEqual(
    faults.map(({ code, line, offset }) => [code, line, offset]),
    [
      ['invalid_utf8', 3, 12 + 2 ** 31 + 4],
      ['cut_off', 4, undefined],
    ],
  )
  assert.ok(grown < 2 ** 26, `${grown} bytes more`)
})

const piece = fc.constantFrom(
  'a',
  'é',
  '😀',
  '1',
  ' ',
  ',',
  ';',
  '\t',
  '|',
  '"',
  '\n',
  '\r\n',
  '\r',
  'word',
  'long text here',
)
const field = fc.array(piece, { maxLength: 5 }).map(pieces => pieces.join(''))
const delimiters = fc.constantFrom(',', ';', '\t', '|')

/** Whole CSV files of at least two columns, so that there is a delimiter to find. */
const csvFile = fc
  .record({
    delimiter: delimiters,
    lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
    rows: fc
      .integer({ min: 2, max: 5 })
      .chain(columns =>
        fc.array(fc.array(field, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
      ),
    quoteAll: fc.boolean(),
    final: fc.boolean(),
  })
  .map(({ delimiter, lineEnd, rows, quoteAll, final }) => {
    const write = (value: string) =>
      quoteAll || /[,;\t|"\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
    const text = rows.map(row => row.map(write).join(delimiter)).join(lineEnd) + (final ? lineEnd : '')
    return { delimiter, lineEnd, text }
  })

/** A header and a record that is longer than what a scanner holds back, so that pieces behind it are read at once. */
function makeHead(columns: number, delimiter: string, lineEnd: string): string {
  const names = Array.from({ length: columns }, (_, column) => `name ${column}`)
  return [names.join(delimiter), `"${'x'.repeat(65_536)}"${delimiter.repeat(columns - 1)}`, ''].join(lineEnd)
}

test('counts rows and columns as csv-parse does, wherever the pieces are cut', () => {
  fc.assert(
    fc.property(csvFile, ({ delimiter, lineEnd, text }) => {
      const options = { delimiter, record_delimiter: lineEnd, skip_empty_lines: true }
      const records: string[][] = parse(text, options)
      const columns = records[0]?.length ?? 0
      const shape = scan(text)
      const { faults, ...found } = shape
      // By chance a line is like a title, or all fields between two pipes are empty: the text has two meanings.
      fc.pre(!codesOf(shape).includes('title_above_header') && shape.delimiter?.length === 1)
      assert.deepEqual(
        { delimiter: found.delimiter, rows: found.rows + (found.header ? 1 : 0), columns: found.columns },
        { delimiter, rows: records.length, columns },
      )
      assert.deepEqual(
        faults.filter(fault => !fault.code.includes('header')),
        [],
      )
      for (const size of [1, 2, 3, 7]) assert.deepEqual(scan(text, size), shape)

      const head = makeHead(columns, delimiter, lineEnd)
      const long = scan(head + text)
      const { rows, faults: longFaults } = long
      assert.deepEqual([rows, longFaults], [records.length + 1, []])
      for (const size of [1, 2, 3, 7, 1000]) assert.deepEqual(scan(head + text, size, 0, head.length), long)
    }),
    { numRuns: 300 },
  )
})

const nasty = fc.constantFrom(
  ...['a', '1', '"', '""', ',', ';', '\n', '\r', '\r\n', '\0', '\xe2', '\x82', '\xac', '\xff', '\xc3\xa9', ' '],
  ...[
    '\\',
    '\x1a',
    '||',
    '\xef\xbf\xbd',
    '\xef\xbb\xbf',
    '\xc3\x83\xc2\xa9',
    '\n\n',
    'a,b\n',
    '\r\nname 0,name 1\r\n',
    '"a\nb"',
  ],
)
const nastyBytes = fc.array(nasty, { maxLength: 80 }).map(pieces => latin1(pieces.join('')))
const marks = fc.constantFrom('', '', '', '\xef\xbb\xbf', '\xff\xfe', '\xfe\xff').map(latin1)

const encodings = fc.constantFrom<BufferEncoding>('utf8', 'utf16le')

test('finds the same in any bytes, wherever the pieces are cut and begin in memory', () => {
  const anyBytes = fc.oneof(nastyBytes, fc.uint8Array({ maxLength: 60 }))
  fc.assert(
    fc.property(marks, anyBytes, encodings, fc.boolean(), (mark, bytes, encoding, swapped) => {
      const content = Buffer.concat([mark, bytes])
      const shape = scan(content)
      for (const size of [1, 2, 3, 7]) assert.deepEqual(scan(content, size), shape)
      assert.deepEqual(scan(content, 16, 1), shape)

      const head = Buffer.from(MARK + makeHead(2, ',', '\n'), encoding)
      const long = Buffer.concat([encoding === 'utf16le' && swapped ? head.swap16() : head, bytes])
      const longShape = scan(long)
      for (const size of [1, 2, 3, 7]) assert.deepEqual(scan(long, size, size, head.length), longShape)
    }),
    { numRuns: 300 },
  )
})
