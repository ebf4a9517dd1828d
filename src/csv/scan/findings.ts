/** Says in one line each what was found in a CSV file, as a fault or as a note. See docs/csv.md. */
import { countOf } from '../../lib/text'
import type { RecordCounts } from './records'
import type { CsvEncoding, CsvFault, CsvNote } from './shape'
import type { TextFindings } from './text'

/** All that is known of a file that was read to its end. */
export interface Known {
  readonly found: TextFindings
  readonly encoding: CsvEncoding
  /** The record of names, if there is one, and whether it is surely one. */
  readonly names: readonly string[] | undefined
  readonly isSureHeader: boolean
  readonly escapes: boolean
  /** The record that stands first above the header. */
  readonly above: { readonly text: string; readonly line: number } | undefined
  /** Units of UTF-16 or UTF-32 that are no character. */
  readonly brokenUnits: number
  readonly hasMark: boolean
}

const COLUMNS_NAMED = 5

/** What makes a reader misread the file. In an empty one, or one of NULs, nothing else is wrong. */
export function listCsvFaults(known: Known): CsvFault[] {
  const { found } = known
  if (found.isAllNuls) {
    const message = `The file holds nothing but ${countOf(found.suspects.nul.count, 'NUL byte')}: its content was never written.`
    return [{ code: 'nul_bytes', message, line: 1, count: found.suspects.nul.count }]
  }
  if (found.isBlank) return [{ code: 'empty', message: 'The file is empty, or holds only spaces and line breaks.' }]
  const faults: CsvFault[] = []
  describeBytes(known, faults)
  describeHeader(known, faults)
  describeQuotes(known, faults)
  describeRows(known, faults)
  return faults
}

function describeBytes({ found, encoding, brokenUnits }: Known, faults: CsvFault[]): void {
  const { broken, ctrlZ } = found
  const { nul } = found.suspects
  const { lineEnds } = found.counts
  if (broken !== undefined) {
    const { line, offset } = broken.at
    const place = `Byte ${offset} (line ${line}) is not UTF-8`
    if (encoding === 'utf-8' || encoding === 'utf-8-bom') {
      const many = `${countOf(broken.broken, 'byte')} ${broken.broken === 1 ? 'is' : 'are'} broken, the rest is UTF-8`
      faults.push({ code: 'invalid_utf8', message: `${place}: ${many}.`, line, offset, count: broken.broken })
    } else {
      const name =
        encoding === 'unknown-8bit' ? 'its encoding is not known' : `the file is most likely ${nameOf(encoding)}`
      faults.push({ code: 'invalid_utf8', message: `${place}; ${name}.`, line, offset })
    }
  }
  if (brokenUnits > 0) {
    const [code, name] = encoding.startsWith('utf-16')
      ? (['invalid_utf16', 'UTF-16'] as const)
      : (['invalid_utf32', 'UTF-32'] as const)
    const line = found.brokenUnitLine ?? 1
    const message = `${countOf(brokenUnits, 'unit')} of ${name} that ${brokenUnits === 1 ? 'is' : 'are'} no character, the first in line ${line}.`
    faults.push({ code, message, line, count: brokenUnits })
  }
  if (nul.line !== undefined) {
    const message = `${countOf(nul.count, 'NUL byte')}, the first in line ${nul.line}.`
    faults.push({ code: 'nul_bytes', message, line: nul.line, count: nul.count })
  }
  if (ctrlZ.count > 0 && ctrlZ.line !== undefined) {
    const message = `The file ends with Ctrl-Z (byte 0x1A), the end-of-file mark of DOS: readers take it for data.`
    faults.push({ code: 'ctrl_z', message, line: ctrlZ.line, count: ctrlZ.count })
  }
  if (lineEnds.length > 1) {
    const message = `Lines end in different ways: ${lineEnds.map(lineEnd => lineEnd.toUpperCase()).join(' and ')}.`
    faults.push({ code: 'mixed_line_ends', message })
  }
}

function describeHeader({ found, names, isSureHeader, above }: Known, faults: CsvFault[]): void {
  if (above !== undefined) faults.push(describeAbove(above))
  if (names === undefined) return
  if (found.counts.records === 1) faults.push({ code: 'header_only', message: 'There is a header but no data.' })
  if (!isSureHeader && found.counts.records > 1) return
  const blank = listBlank(names)
  if (blank.length > 0 && !isBlankFirst(blank)) {
    const message = `${countOf(blank.length, 'column')} without a name: ${cutList(blank.map(String))}.`
    faults.push({ code: 'blank_header', message, count: blank.length })
  }
  const twice = listTwice(names)
  if (twice.length > 0) {
    const message = `${countOf(twice.length, 'column name')} more than once: ${cutList(twice.map(quote))}.`
    faults.push({ code: 'duplicate_header', message, count: twice.length })
  }
}

function describeAbove({ text, line }: { readonly text: string; readonly line: number }): CsvFault {
  if (/^sep=/i.test(text)) {
    const message = `Line ${line} is ${quote(text)}, which only Excel understands: other readers take it for the header.`
    return { code: 'excel_sep', message, line }
  }
  const kind = text.startsWith('#') ? 'a comment' : text === '' ? 'a row of empty fields' : 'a title'
  const cited = text === '' ? '' : `: ${quote(text)}`
  const message = `Line ${line} looks like ${kind} above the header${cited}. Readers take it for the header.`
  return { code: 'title_above_header', message, line }
}

function describeQuotes({ found, escapes }: Known, faults: CsvFault[]): void {
  const { unclosedLine, strays } = found.counts
  const { backslash } = found.suspects
  if (escapes && backslash.line !== undefined) {
    const quotes = `${countOf(backslash.count, 'quote')} ${backslash.count === 1 ? 'is' : 'are'}`
    const message = `${quotes} escaped by a backslash, the first in line ${backslash.line}, as Spark writes by default: tell the reader that the escape is \\.`
    faults.push({ code: 'backslash_quotes', message, line: backslash.line, count: backslash.count })
  }
  if (unclosedLine !== undefined) {
    const message = `The quote opened in line ${unclosedLine} is never closed.`
    faults.push({ code: 'unclosed_quote', message, line: unclosedLine })
  }
  if (strays.line !== undefined) {
    const fields = countOf(strays.count, 'field')
    const cause = backslash.count > 0 ? `; quotes may be escaped by a backslash (line ${backslash.line})` : ''
    const message = `${fields} with a quote inside unquoted text, or text behind the closing quote; the first in line ${strays.line}${cause}.`
    faults.push({ code: 'stray_quote', message, line: strays.line, count: strays.count })
  }
}

function describeRows({ found }: Known, faults: CsvFault[]): void {
  const { ragged, raggedCount, columns, cutOff } = found.counts
  const [first] = ragged
  if (first !== undefined) {
    const rows = ragged.map(({ line, fields }) => `line ${line} has ${fields}`)
    if (raggedCount > ragged.length) rows.push('…')
    const message = `${countOf(raggedCount, 'row')} without the ${countOf(columns, 'field')} of the first: ${rows.join(', ')}.`
    const cause = hasRowNames(found.counts) ? ' All have one more, as R writes rows with names.' : ''
    faults.push({ code: 'ragged_rows', message: message + cause, line: first.line, count: raggedCount })
  }
  if (cutOff !== undefined) {
    const { line, fields } = cutOff
    const message = `The last row (line ${line}) is cut off: ${fields} of ${countOf(columns, 'field')}, and no line break.`
    faults.push({ code: 'cut_off', message, line })
  }
}

function hasRowNames({ ragged, raggedCount, columns, records }: RecordCounts): boolean {
  return raggedCount > 1 && raggedCount === records - 1 && ragged.every(({ fields }) => fields === columns + 1)
}

/** What is worth knowing of a file that follows RFC 4180. */
export function listCsvNotes(known: Known): CsvNote[] {
  const { found } = known
  if (found.isAllNuls || found.isBlank) return []
  const notes: CsvNote[] = []
  noteBytes(known, notes)
  noteNames(known, notes)
  noteRows(known, notes)
  return notes
}

function noteBytes({ found, encoding, hasMark }: Known, notes: CsvNote[]): void {
  const { replacement, mark, mojibake } = found.suspects
  if (encoding.startsWith('utf-16') || encoding.startsWith('utf-32')) {
    const without = hasMark ? '' : ', without a byte order mark'
    notes.push({
      code: 'wide_encoding',
      message: `The file is ${nameOf(encoding)}${without}: Athena, BigQuery and Spark want UTF-8.`,
    })
  }
  if (found.broken !== undefined && !encoding.startsWith('utf-')) return
  if (mark.line !== undefined) {
    const message = `${countOf(mark.count, 'byte order mark')} where text should be, the first in line ${mark.line}: files were put together, and readers take it for data.`
    notes.push({ code: 'extra_byte_order_mark', message, line: mark.line, count: mark.count })
  }
  if (replacement.line !== undefined) {
    const message = `${countOf(replacement.count, 'character')} U+FFFD, the first in line ${replacement.line}: text was lost before the file came here.`
    notes.push({ code: 'replacement_characters', message, line: replacement.line, count: replacement.count })
  }
  if (mojibake.line !== undefined) {
    const message = `${countOf(mojibake.count, 'place')} with text such as "Ã©" for "é", the first in line ${mojibake.line}: UTF-8 was read as Windows-1252 and saved again.`
    notes.push({ code: 'mojibake', message, line: mojibake.line, count: mojibake.count })
  }
}

function noteNames({ found, names = [] }: Known, notes: CsvNote[]): void {
  if (isBlankFirst(listBlank(names))) {
    const message = 'The first column has no name, as pandas and R write an index: BigQuery and Athena make up one.'
    notes.push({ code: 'blank_first_name', message, count: 1 })
  }
  const similar = listSimilar(names)
  if (similar.length > 0) {
    const message = `${countOf(similar.length, 'column name')} differ from another only in case or spaces: ${cutList(similar.map(quote))}. Athena, BigQuery and Redshift take them for one.`
    notes.push({ code: 'similar_names', message, count: similar.length })
  }
  const { repeats } = found
  if (repeats.line !== undefined) {
    const message = `The header is there again ${repeats.count === 1 ? 'once' : `${repeats.count} times`}, first in line ${repeats.line}: readers take it for data.`
    notes.push({ code: 'repeated_header', message, line: repeats.line, count: repeats.count })
  }
}

function noteRows({ found, escapes }: Known, notes: CsvNote[]): void {
  const { quotedBreaks, emptyRows, records, strays } = found.counts
  const { backslash } = found.suspects
  if (quotedBreaks.line !== undefined) {
    const message = `${countOf(quotedBreaks.count, 'line break')} within quotes, the first in line ${quotedBreaks.line}: Athena's OpenCSVSerDe and Spark without multiLine cut the row there.`
    notes.push({ code: 'quoted_line_breaks', message, line: quotedBreaks.line, count: quotedBreaks.count })
  }
  if (!escapes && backslash.line !== undefined && strays.count === 0) {
    const message = `${countOf(backslash.count, 'backslash', 'es')} before a quote, the first in line ${backslash.line}: Spark and Athena's OpenCSVSerDe take it for an escape by default.`
    notes.push({ code: 'backslash_before_quote', message, line: backslash.line, count: backslash.count })
  }
  const { line, count } = emptyRows
  if (line === undefined) return
  if (count === records)
    notes.push({ code: 'only_delimiters', message: 'There is nothing but delimiters.', line, count })
  else {
    const message = `${countOf(count, 'row')} of only empty fields, the first in line ${line}: readers make rows of NULs of them.`
    notes.push({ code: 'empty_rows', message, line, count })
  }
}

const listBlank = (names: readonly string[]) => names.flatMap((name, index) => (name.trim() === '' ? [index + 1] : []))
const isBlankFirst = (blank: readonly number[]) => blank.length === 1 && blank[0] === 1

/** Names that are there more than once. */
function listTwice(names: readonly string[]): string[] {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) {
    if (seen.has(name) && name.trim() !== '') twice.add(name)
    seen.add(name)
  }
  return [...twice]
}

/** Names that equal an earlier one, if case and spaces do not count. */
function listSimilar(names: readonly string[]): string[] {
  const seen = new Map<string, string>()
  const similar = new Set<string>()
  for (const name of names) {
    const plain = name.toLowerCase().replace(/\s+/g, '')
    const earlier = seen.get(plain)
    if (earlier === undefined) seen.set(plain, name)
    else if (earlier !== name && plain !== '') similar.add(name)
  }
  return [...similar]
}

const SPELLED: Readonly<Partial<Record<CsvEncoding, string>>> = {
  ...{ macintosh: 'MacRoman', shift_jis: 'Shift-JIS', gbk: 'GBK', big5: 'Big5' },
}

/** An encoding as people write it. */
function nameOf(encoding: CsvEncoding): string {
  return (
    SPELLED[encoding] ?? encoding.replace('windows', 'Windows').replace(/^(utf|euc|koi).*/, name => name.toUpperCase())
  )
}

function cutList(items: readonly string[]): string {
  return [...items.slice(0, COLUMNS_NAMED), ...(items.length > COLUMNS_NAMED ? ['…'] : [])].join(', ')
}

/** Text of the file made fit for a terminal: cut, and whatever is not visible escaped. */
function quote(text: string): string {
  const toEscape = (char: string) => `\\u{${char.codePointAt(0)?.toString(16)}}`
  return JSON.stringify(text.slice(0, 40)).replace(/[\p{C}\p{Z}]/gu, char => (char === ' ' ? char : toEscape(char)))
}
