/** Guesses whether the first record of a table holds the names of its columns. */
import type { SampleRecord } from './sample'

interface HeaderGuess {
  readonly isHeader: boolean
  /** Whether it differs in kind from the records below it: only then is a wrong name a fault. */
  readonly isSure: boolean
}

/** More records would make no better guess. */
const MOST_RECORDS = 25

type Kind = 'blank' | 'none' | 'number' | 'date' | 'time' | 'boolean' | 'address' | 'text'

// Strings: esbuild leaves characters that are not ASCII in a regular expression, and Node then holds the whole program in
// twice the memory.
const CURRENCIES = '$€£¥₹₽₩₺'
const NUMBER = new RegExp(
  `^[([]?[-+\u2212]?\\s?(?:[${CURRENCIES}]|R\\$|[A-Z]{3}\\s)?\\s?[-+]?` +
    `(?:\\d{1,3}(?:[,.'\\s\u00a0\u202f]\\d{3})+|\\d+)?(?:[.,]\\d*)?(?:[eE][-+]?\\d+)?` +
    `\\s?(?:[%‰${CURRENCIES}°]|\\s[A-Z]{3})?[)\\]]?$`,
)
const SPECIAL_NUMBER = /^[-+]?(inf|infinity|0x[\da-f]+)$/i
const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?'
const CLOCK = '\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d+)?)?\\s?(?:[ap]\\.?m\\.?)?\\s?(?:Z|UTC|GMT|[-+]\\d{2}:?(?:\\d{2})?)?'
const DATE = new RegExp(
  `^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\\s)?(?:${[
    '\\d{4}[-/.]\\d{1,2}(?:[-/.]\\d{1,2})?',
    '\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{2,4}',
    `\\d{1,2}[- ./]?${MONTH}[- ./,]?\\s?\\d{2,4}`,
    `${MONTH}[- .]?(?:\\d{1,2}(?:st|nd|rd|th)?,?\\s)?\\d{2,4}`,
    `\\d{4}[- ]?${MONTH}[- ]?\\d{0,2}`,
    '\\d{4}[- ]?[QWM]\\d{1,2}',
    '[QWM][1-4][-/ ]\\d{4}',
  ].join('|')})(?:[T ,]\\s?${CLOCK})?$`,
  'i',
)
const TIME = new RegExp(`^${CLOCK}$`, 'i')
const BOOLEAN = /^(true|false)$/i
/** Longer than any word with a meaning of its own, such as `false`. */
const WORDS = /^\p{L}[\p{L} ,'-]{5,}$/u
const NONE = /^(null|na|n\/a|#n\/a|nan|nil|none|\\n|-{1,3}|\?|\.{1,3})$/i
const ADDRESS =
  /^([^\s@]+@[^\s@]+\.[^\s@]+|(https?|s3|ftp):\/\/\S+|\d{1,3}(\.\d{1,3}){3}|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}|[\da-f]{32,})$/i

function kindOf(field: string): Kind {
  // The most frequent kinds, told at once: of many small files a tenth of the time.
  if (/^\s*-?\d+(\.\d+)?\s*$/.test(field)) return 'number'
  const text = field.trim()
  if (text === '') return 'blank'
  if (WORDS.test(text) && !SPECIAL_NUMBER.test(text)) return 'text'
  // Columns of a fixed width, which no delimiter parts.
  if (/^[-+\d.eE\s]{3,}$/.test(text) && text.split(/\s+/).every(part => NUMBER.test(part))) return 'number'
  if (text.length > 80) return 'text'
  if (NONE.test(text)) return 'none'
  if (BOOLEAN.test(text)) return 'boolean'
  if ((/\d/.test(text) && NUMBER.test(text)) || SPECIAL_NUMBER.test(text)) return 'number'
  if (!/\d/.test(text)) return ADDRESS.test(text) ? 'address' : 'text'
  if (TIME.test(text)) return 'time'
  if (DATE.test(text)) return 'date'
  return ADDRESS.test(text) ? 'address' : 'text'
}

/** @param above how many of the records stand above the table. */
export function sniffHeader(records: readonly SampleRecord[], above: number): HeaderGuess {
  const names = records[above]?.fields ?? []
  const others = records.slice(above + 1, above + MOST_RECORDS)
  // A header that is there again is no data.
  const below = others.filter(record => !repeats(record, names))
  const kinds = names.map(kindOf)
  if (kinds.every(kind => kind === 'blank')) return { isHeader: false, isSure: false }
  const isAllText = kinds.every(kind => kind === 'text' || kind === 'blank')
  if (below.length === 0) return { isHeader: isAllText, isSure: false }

  const columnKinds = names.map((_, index) => findKind(below, index))
  const inRun = findRun(names, kinds, below, columnKinds)
  let votes = 0
  kinds.forEach((kind, index) => {
    const differs = columnKinds[index] !== 'text' && columnKinds[index] !== 'blank'
    if (kind === 'text' ? differs : inRun.has(index)) votes++
    else if (kind !== 'text' && kind !== 'blank') votes--
  })
  if (votes !== 0 || !isAllText) return { isHeader: votes > 0, isSure: votes > 0 }
  return compareTexts(names, below)
}

function repeats(record: SampleRecord, names: readonly string[]): boolean {
  for (let index = 0; index < record.length; index++) if (record.fieldAt(index) !== names[index]) return false
  return true
}

/** What nearly all of the values in a column are that say something. */
function findKind(records: readonly SampleRecord[], index: number): Kind {
  const counts = new Map<Kind, number>()
  let all = 0
  for (const record of records) {
    const kind = kindOf(record.fieldAt(index))
    if (kind === 'blank' || kind === 'none') continue
    const count = (counts.get(kind) ?? 0) + 1
    // No other kind can be that of nearly all any more.
    if (kind === 'text' && count * 10 > records.length) return 'text'
    counts.set(kind, count)
    all++
  }
  for (const [kind, count] of counts) if (count * 10 >= all * 9) return kind
  return all === 0 ? 'blank' : 'text'
}

const isYear = (field: string) => /^\s*(1[5-9]|20|21)\d\d\s*$/.test(field)

/** The names that are years, dates or 0, 1, 2 … over columns of other numbers, as tables by year have them. */
function findRun(
  names: readonly string[],
  kinds: readonly Kind[],
  below: readonly SampleRecord[],
  columnKinds: readonly Kind[],
): Set<number> {
  const none = new Set<number>()
  const numeric = kinds.flatMap((kind, index) => (kind === 'number' || kind === 'date' ? [index] : []))
  if (numeric.length === 0) return none
  const run = numeric.filter(index => isYear(names[index] ?? '') || kinds[index] === 'date')
  const isOver = (index: number) =>
    columnKinds[index] === 'blank' ||
    (columnKinds[index] === 'number' && !below.every(row => isYear(row.fieldAt(index))))
  if (run.length > 0 && run.length === numeric.length) {
    const values = run.map(index => names[index]?.trim() ?? '')
    const isDistinct = new Set(values).size === values.length
    return isDistinct && run.every(isOver) && (run.length > 1 || names.length > 1) ? new Set(run) : none
  }
  const counted = numeric.map(index => Number(names[index]))
  const [first] = counted
  const isCounted = counted.length > 2 && counted.every((value, index) => value === index + (first ?? 0))
  const isStart = first === 0 || (first === 1 && numeric.length < names.length)
  const isRepeated = () =>
    below
      .map(({ fields }) => fields)
      .some(row => numeric.every((at, index) => Number(row[at]) === Number(row[numeric[0] ?? 0]) + index))
  return isCounted && isStart && !isRepeated() ? new Set(numeric) : none
}

/** Of texts over texts: names are written in another manner than values, and are not found among them. */
function compareTexts(names: readonly string[], below: readonly SampleRecord[]): HeaderGuess {
  let signs = 0
  let against = 0
  names.forEach((field, index) => {
    const name = field.trim()
    const values = below.map(record => record.fieldAt(index).trim()).filter(value => value !== '')
    if (values.length === 0 || !/^\p{L}/u.test(name)) return
    const isRepeated = values.includes(name) && values.some(value => value !== name)
    if (isRepeated || isSentence(name)) against++
    else if (values.length > 1 && MANNERS.some(isSo => (isSo(name) ? !values.some(isSo) : values.every(isSo)))) signs++
  })
  const filled = names.map(name => name.trim()).filter(name => name !== '')
  const isOdd = new Set(filled).size < filled.length || names.slice(1).some(name => name.trim() === '')
  const isSure = against === 0 && signs > 0 && signs * 2 >= filled.length
  return { isHeader: against === 0 ? isSure || !isOdd : signs > against, isSure }
}

const isSentence = (text: string) => text.length > 60 || /[.!?;]$|[\r\n]/.test(text)

/** Ways to write: a name that has one that no value has, or lacks one that every value has, is of another kind. */
const MANNERS: readonly ((text: string) => boolean)[] = [
  text => /^[a-z]/.test(text),
  text => /^[A-Z]/.test(text),
  text => /^[^a-z]*[A-Z][^a-z]*$/.test(text),
  text => /[a-z0-9]_[a-z0-9]/i.test(text),
  text => /^[a-z]+[A-Z]/.test(text),
  text => /\d/.test(text),
]
