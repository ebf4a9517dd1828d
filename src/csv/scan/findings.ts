import type { CsvFault } from './shape'
import type { Dialect } from './sniff-dialect'
import type { TextFindings } from './text'

const COLUMNS_NAMED = 5

/** Says in one line each what is wrong with a CSV file. In an empty one nothing else is. */
export function listCsvFaults(found: TextFindings, dialect: Dialect): CsvFault[] {
  if (found.blank) return [{ code: 'empty', message: 'The file is empty, or holds only spaces and line breaks.' }]
  return [
    ...describeBytes(found),
    ...(dialect.header ? describeHeader(found, dialect.names) : []),
    ...describeQuotes(found),
    ...describeRows(found),
  ]
}

function* describeBytes({ invalidUtf8, nulLine, nulCount, lineEnds }: TextFindings): Generator<CsvFault> {
  if (invalidUtf8 !== undefined) {
    const { line, offset } = invalidUtf8
    const message = `Byte ${offset} (line ${line}) is not UTF-8; the file is most likely Windows-1252.`
    yield { code: 'invalid_utf8', message, line, offset }
  }
  if (nulLine !== undefined) {
    const message = `${countOf(nulCount, 'NUL byte')}, the first in line ${nulLine}.`
    yield { code: 'nul_bytes', message, line: nulLine, count: nulCount }
  }
  if (lineEnds.length > 1) {
    const message = `Lines end in different ways: ${lineEnds.map(lineEnd => lineEnd.toUpperCase()).join(' and ')}.`
    yield { code: 'mixed_line_ends', message }
  }
}

function* describeHeader({ rows }: TextFindings, names: readonly string[]): Generator<CsvFault> {
  if (rows === 1) yield { code: 'header_only', message: 'There is a header but no data.' }
  const blank = names.flatMap((name, index) => (name.trim() === '' ? [index + 1] : []))
  if (blank.length > 0) {
    const message = `${countOf(blank.length, 'column')} without a name: ${cutList(blank.map(String))}.`
    yield { code: 'blank_header', message, count: blank.length }
  }
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) {
    if (seen.has(name) && name.trim() !== '') twice.add(name)
    seen.add(name)
  }
  if (twice.size > 0) {
    const message = `${countOf(twice.size, 'column name')} more than once: ${cutList([...twice].map(quote))}.`
    yield { code: 'duplicate_header', message, count: twice.size }
  }
}

function* describeQuotes({ unclosedLine, strayLine, strayCount }: TextFindings): Generator<CsvFault> {
  if (unclosedLine !== undefined) {
    const message = `The quote opened in line ${unclosedLine} is never closed.`
    yield { code: 'unclosed_quote', message, line: unclosedLine }
  }
  if (strayLine !== undefined) {
    const fields = countOf(strayCount, 'field')
    const message = `${fields} with a quote inside unquoted text, or text behind the closing quote; the first in line ${strayLine}.`
    yield { code: 'stray_quote', message, line: strayLine, count: strayCount }
  }
}

function* describeRows({ ragged, raggedCount, columns, cutOff }: TextFindings): Generator<CsvFault> {
  const [first] = ragged
  if (first !== undefined) {
    const rows = ragged.map(({ line, fields }) => `line ${line} has ${fields}`)
    if (raggedCount > ragged.length) rows.push('…')
    const message = `${countOf(raggedCount, 'row')} without the ${countOf(columns, 'field')} of the first: ${rows.join(', ')}.`
    yield { code: 'ragged_rows', message, line: first.line, count: raggedCount }
  }
  if (cutOff !== undefined) {
    const { line, fields } = cutOff
    const message = `The last row (line ${line}) is cut off: ${fields} of ${countOf(columns, 'field')}, and no line break.`
    yield { code: 'cut_off', message, line }
  }
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function cutList(items: readonly string[]): string {
  return [...items.slice(0, COLUMNS_NAMED), ...(items.length > COLUMNS_NAMED ? ['…'] : [])].join(', ')
}

/** Text of the file made fit for a terminal: cut, and whatever is not visible escaped. */
function quote(text: string): string {
  const toEscape = (char: string) => `\\u{${char.codePointAt(0)?.toString(16)}}`
  return JSON.stringify(text.slice(0, 40)).replace(/[\p{C}\p{Z}]/gu, char => (char === ' ' ? char : toEscape(char)))
}
