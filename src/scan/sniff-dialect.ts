import { type CsvDelimiter, DELIMITERS } from './csv-shape'

interface Sample {
  readonly records: readonly (readonly string[])[]
  readonly strayQuotes: number
}

export interface Dialect {
  readonly delimiter: CsvDelimiter
  /** The fields of the first record. */
  readonly names: readonly string[]
  readonly header: boolean
}

/**
 * Guesses delimiter and header by the beginning of a file. The delimiter is the one that cuts most records into the
 * same number of fields, best into as many as the first has, without leaving quotes astray.
 * @param whole whether `text` is all there is, so that its last field is whole too.
 */
export function sniffDialect(text: string, whole: boolean): Dialect {
  let best = { delimiter: ',' as CsvDelimiter, score: 0, fields: 1, names: [] as readonly string[] }
  for (const delimiter of DELIMITERS) {
    const { records, strayQuotes } = readSample(text, delimiter, whole)
    const names = records[0] ?? []
    const [fields, share] = findMode(records.map(record => record.length))
    const score = fields > 1 ? share + (names.length === fields ? 0.5 : 0) - strayQuotes / records.length : 0
    const better = score > best.score || (score === best.score && fields > best.fields)
    if (better || best.names.length === 0) best = { delimiter, score, fields, names }
  }
  return { delimiter: best.delimiter, names: best.names, header: looksLikeNames(best.names) }
}

/** Reads as the grammar does: tolerantly, with stray quotes as part of the field. */
function readSample(text: string, delimiter: string, whole: boolean): Sample {
  const records: string[][] = []
  const fieldEnd = new RegExp(`[${delimiter}\\r\\n]`, 'g')
  let record: string[] = []
  let strayQuotes = 0
  for (let at = 0; at < text.length || record.length > 0; ) {
    const begin = at
    const quotedEnd = text[at] === '"' ? findClosingQuote(text, at) : at
    fieldEnd.lastIndex = quotedEnd
    const end = fieldEnd.exec(text)?.index ?? text.length
    const tail = text.slice(quotedEnd, end)
    if (quotedEnd > begin ? tail !== '' : tail.includes('"')) strayQuotes++
    record.push(quotedEnd > begin ? text.slice(begin + 1, quotedEnd - 1).replaceAll('""', '"') + tail : tail)
    at = end + (text.startsWith('\r\n', end) ? 2 : 1)
    if (text[end] === delimiter) continue
    if (end > begin || record.length > 1) records.push(record)
    record = []
  }
  if (!whole) records.at(-1)?.pop()
  return { records, strayQuotes }
}

/** Where the field goes on behind the quote that closes it; the end of the text, if none does. */
function findClosingQuote(text: string, open: number): number {
  let close = text.indexOf('"', open + 1)
  while (close !== -1 && text[close + 1] === '"') close = text.indexOf('"', close + 2)
  return close === -1 ? text.length : close + 1
}

/** The most frequent of `values` and its share of them. */
function findMode(values: readonly number[]): readonly [value: number, share: number] {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let mode: readonly [number, number] = [0, 0]
  for (const [value, count] of counts) if (count > mode[1]) mode = [value, count]
  return [mode[0], mode[1] / values.length]
}

/** Names are text: a number, an amount, a date or a time among them makes the record one of data. */
function looksLikeNames(fields: readonly string[]): boolean {
  const isData = (field: string) =>
    /\d/.test(field) && /^[-+$€£]?[\d.,:/%\s-]+(T[\d.:+-]+)?Z?$/.test(field.slice(0, 40))
  return fields.some(field => field.trim() !== '') && !fields.some(isData)
}
