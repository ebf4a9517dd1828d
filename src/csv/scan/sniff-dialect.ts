import { type CsvDelimiter, DELIMITERS } from './shape'

interface Sample {
  /** The fields of the first record. */
  readonly names: readonly string[]
  /** The number of fields of each record. */
  readonly counts: readonly number[]
  readonly strayQuotes: number
}

/** More records would make no better guess. */
const MOST_RECORDS = 100

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d

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
    if (delimiter !== ',' && !text.includes(delimiter)) continue
    const { names, counts, strayQuotes } = readSample(text, delimiter, whole)
    const [fields, share] = findMode(counts)
    const fit = fields > 1 ? share + (names.length === fields ? 0.5 : 0) - strayQuotes / counts.length : 0
    const score = Math.max(fit, 0)
    const better = score > best.score || (score === best.score && fields > best.fields)
    if (better || best.names.length === 0) best = { delimiter, score, fields, names }
  }
  return { delimiter: best.delimiter, names: best.names, header: looksLikeNames(best.names) }
}

/** Reads as the grammar does: tolerantly, with stray quotes as part of the field. */
function readSample(text: string, delimiter: string, whole: boolean): Sample {
  const split = delimiter.charCodeAt(0)
  const names: string[] = []
  const counts: number[] = []
  let fields = 0
  let strayQuotes = 0
  let at = 0
  for (; (at < text.length || fields > 0) && counts.length < MOST_RECORDS; at++) {
    const begin = at
    if (text.charCodeAt(at) === QUOTE) at = findClosingQuote(text, at)
    const tail = at
    let hasQuote = false
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === split || code === LF || code === CR) break
      hasQuote ||= code === QUOTE
    }
    const isQuoted = tail > begin
    if (isQuoted ? at > tail : hasQuote) strayQuotes++
    if (counts.length === 0) {
      const name = isQuoted ? text.slice(begin + 1, tail - 1).replaceAll('""', '"') : ''
      names.push(name + text.slice(tail, at))
    }
    fields++
    if (text.charCodeAt(at) === split) continue
    if (at > begin || fields > 1) counts.push(fields)
    else if (counts.length === 0) names.pop()
    fields = 0
    if (text.startsWith('\r\n', at)) at++
  }
  const last = counts.length - 1
  const isCut = !whole && at >= text.length
  if (isCut && last >= 0) counts[last] = (counts[last] ?? 0) - 1
  if (isCut && last === 0) names.pop()
  return { names, counts, strayQuotes }
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
