/** Guesses delimiter, escapes and the lines above the header by the beginning of a file. */
import { readSample, type SampleRecord } from './sample'
import { sniffHeader } from './sniff-header'

export interface DialectGuess {
  /** `null`: each record is one field, with nothing to delimit. */
  readonly delimiter: string | null
  /** Whether quotes are escaped by a backslash. */
  readonly escapes: boolean
  /** Records above the header that are none of the table. */
  readonly above: number
  readonly records: readonly SampleRecord[]
}

interface Candidate extends DialectGuess {
  readonly delimiter: string
  /** The number of fields that most records have. */
  readonly columns: number
  /** Of the records, header and below, those with that many fields. */
  readonly share: number
  /** Whether the first of them is one of those. */
  readonly isFirstRight: boolean
  /** Of all records, those with a stray quote. */
  readonly strays: number
}

/**
 * On a tie the first one wins: control characters stand in no text, few texts hold tabs, and commas stand within decimal
 * numbers, names ("Doe, Ann") and lists.
 */
const COMMON = ['\x01', '\x02', '\x1e', '\x1f', '\t', ';', '|', ',']
/** They delimit only if they stand equally often in every record. */
const RARE = ['^', '~', '¦', '§', '¬', ':', '#', '!', '*', '&', '@', '$', '%', ' ']
/** These stand once in many a text. */
const NEEDS_THREE_COLUMNS = '#!*&@$% '
/** Those that also come as part of several characters: `||`, `::`, `+|`, `~|~`. */
const EXTENDED = '|~^:#!*&@$¦§¬'
const SYMBOL = /[^\p{L}\p{N}\s"'.,()-]/u

/** Lines above a header are rarely more. */
const MOST_ABOVE = 20
/** A lead of this much in the score decides nothing if both cut nearly all records alike. */
const TIE = 0.1

/** @param isWhole whether `text` is all there is. */
export function sniffDialect(text: string, isWhole: boolean): DialectGuess {
  const told = /^sep=(\S| |\t)(?=[\r\n])/i.exec(text)?.[1]
  if (told !== undefined) return { ...readDialect(text, told, false, isWhole), delimiter: told, above: 1 }

  const common = read(text, COMMON, isWhole)
  const best = chooseBest(common)
  if (best?.delimiter === ',' && isDecimalColumn(best.records)) return { ...best, delimiter: null }
  if (best !== undefined && isPerfect(best)) return extend(text, best, isWhole)
  const rare = read(text, RARE, isWhole).find(candidate => isPerfect(candidate) && isPlausible(candidate))
  if (rare !== undefined) return extend(text, rare, isWhole)
  if (best !== undefined) return best
  return readDialect(text, ',', false, isWhole)
}

function read(text: string, delimiters: readonly string[], isWhole: boolean): Candidate[] {
  return delimiters
    .filter(delimiter => text.includes(delimiter))
    .map(delimiter => readEither(text, delimiter, isWhole))
    .filter(({ columns, records }) => columns > 1 && !isOnlyAtTheEnd(records, columns))
}

/** As RFC 4180 has it, or with quotes that a backslash escapes, if that makes more of the text right. */
function readEither(text: string, delimiter: string, isWhole: boolean): Candidate {
  const plain = readDialect(text, delimiter, false, isWhole)
  if (!text.includes('\\"')) return plain
  const escaped = readDialect(text, delimiter, true, isWhole)
  return scoreOf(escaped) > scoreOf(plain) ? escaped : plain
}

function readDialect(text: string, delimiter: string, escapes: boolean, isWhole: boolean): Candidate {
  const records = readSample(text, delimiter, escapes, isWhole)
  const columns = findColumns(records)
  const above = countAbove(records, columns)
  let right = 0
  let strays = 0
  for (let index = above; index < records.length; index++) {
    if (records[index]?.length === columns) right++
    if (records[index]?.isStray === true) strays++
  }
  const all = Math.max(records.length - above, 1)
  const isFirstRight = records[above]?.length === columns
  return { delimiter, escapes, above, records, columns, share: right / all, isFirstRight, strays: strays / all }
}

function scoreOf({ share, isFirstRight, strays, above }: Candidate): number {
  return share + (isFirstRight ? 0.5 : 0) - strays - above / 100
}

const isPerfect = ({ share, isFirstRight, strays, records }: Candidate) =>
  share === 1 && isFirstRight && strays === 0 && records.length > 1

function chooseBest(candidates: readonly Candidate[]): Candidate | undefined {
  const scores = candidates.map(scoreOf)
  const highest = Math.max(...scores)
  // Of one record, the delimiter that makes most of it.
  const [only] = candidates
  if (only !== undefined && candidates.every(({ records }) => records.length === 1)) {
    const fewest = Math.min(...candidates.map(({ strays }) => strays))
    const clean = candidates.filter(({ strays }) => strays === fewest)
    return clean.reduce((most, candidate) => (candidate.columns > most.columns ? candidate : most), clean[0] ?? only)
  }
  if (highest <= 0) return undefined
  return candidates.find((candidate, index) => {
    const score = scores[index] as number
    return score === highest || (score > highest - TIE && candidate.share > 1 - TIE && candidate.isFirstRight)
  })
}

/** `a,b;` in every record: the end of a line and not a delimiter. */
function isOnlyAtTheEnd(records: readonly SampleRecord[], columns: number): boolean {
  return columns === 2 && records.every(record => record.length === 1 || record.raw[1]?.trim() === '')
}

/** Whether a rare delimiter is more than a character that stands in every text of a column. */
function isPlausible({ delimiter, columns, records, above }: Candidate): boolean {
  const rows = records.slice(above)
  if (NEEDS_THREE_COLUMNS.includes(delimiter) && columns < 3) return false
  if (rows[0]?.fields.some(field => field.trim() === '') === true && NEEDS_THREE_COLUMNS.includes(delimiter))
    return false
  if (delimiter === ' ') {
    const fields = rows.slice(1).flatMap(row => row.fields)
    const numbers = fields.filter(field => /^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(field)).length
    return fields.every(field => field !== '') && numbers * 2 >= fields.length && rows.length > 2
  }
  if (delimiter !== ':') return true
  // Times, addresses of the web, and "key: value" have a colon too.
  const lines = rows.map(({ raw }) => raw.join(':'))
  const withTimes = lines.filter(line => /(^|[^\d:])([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d|(?![\d:]))/.test(line)).length
  return (
    withTimes * 2 < lines.length && !lines.some(line => line.includes('://')) && !lines.every(line => /: /.test(line))
  )
}

/** Whether the delimiter that was found is only one character of the whole: `||`, `::`, `+|`, `~|~`. */
function extend(text: string, found: Candidate, isWhole: boolean): Candidate {
  const { delimiter, records, above } = found
  if (!EXTENDED.includes(delimiter)) return found
  const rows = records.slice(above).map(({ raw }) => raw)
  const first = rows[0] ?? []
  const between = first[1] ?? ''
  const isNamed = rows.length > 1 && first.every((field, index) => index % 2 === 1 || field.trim() !== '')
  const isEverySecond = rows.every(
    raw => raw.length % 2 === 1 && raw.every((field, i) => i % 2 === 0 || field === between),
  )
  if (isNamed && isEverySecond && (between === '' || (between.length === 1 && SYMBOL.test(between)))) {
    return readEither(text, delimiter + between + delimiter, isWhole)
  }
  const before = new Set(rows.flatMap(raw => raw.slice(0, -1).map(field => field.at(-1) ?? '')))
  const behind = new Set(rows.flatMap(raw => raw.slice(1).map(field => field[0] ?? '')))
  const only = (chars: ReadonlySet<string>) => {
    const [char = ''] = chars
    return chars.size === 1 && SYMBOL.test(char) ? char : ''
  }
  const whole = only(before) + delimiter + only(behind)
  return whole === delimiter || rows.length < 2 ? found : readEither(text, whole, isWhole)
}

/** The records above the header: comments and titles, which have fewer fields, and blank ones between them. */
function countAbove(records: readonly SampleRecord[], columns: number): number {
  const most = Math.min(MOST_ABOVE, records.length - 1)
  let above = 0
  while (above < most && isAboveTable(records, above, columns)) above++
  const [first, header] = [records[0], records[above]]
  if (above === 0 || first === undefined || header?.length !== columns) return 0
  // A row of data may have few fields that are filled, and a comment of several fields may be a header that is too short.
  const isDoubtful = first.length === columns || (above === 1 && first.length > 2 && first.isComment)
  if (isDoubtful && !sniffHeader(records, above).isSure) return 0
  // A short header over data is no title.
  const isTitle = first.isComment || first.length > 1 || /\s/.test(first.raw[0]?.trim() ?? '')
  const isHeader = columns > 2 || header.fields.every(field => /\p{L}/u.test(field))
  return isTitle && (isHeader || first.isComment) ? above : 0
}

function isAboveTable(records: readonly SampleRecord[], index: number, columns: number): boolean {
  const record = records[index]
  if (record === undefined || columns < 2) return false
  const { length, fields } = record
  if (length !== columns) return record.isComment || length === 1 || length * 2 <= columns
  // Spreadsheets fill up the line of a title with delimiters.
  if (fields.every(field => field.trim() === '')) return true
  if (!isPadded(fields)) return false
  const next = records.slice(index + 1).find(({ fields }) => fields.some(field => field.trim() !== ''))
  const nextFilled = next?.fields.filter(field => field.trim() !== '').length ?? 0
  return nextFilled > 2 && nextFilled >= columns - 1
}

/** Whether of at least three fields only the first few are filled. */
function isPadded(fields: readonly string[]): boolean {
  const filled = fields.findLastIndex(field => field.trim() !== '') + 1
  return fields.length > 2 && filled * 2 <= fields.length && fields[0]?.trim() !== ''
}

/** Numbers with a decimal comma under one name. */
function isDecimalColumn(records: readonly SampleRecord[]): boolean {
  const [name] = records
  const isDecimal = ({ raw }: SampleRecord) => /^\s*[-+]?\d+(,\d+)?\s*$/.test(raw.join(','))
  return name?.length === 1 && !isDecimal(name) && records.length > 1 && records.slice(1).every(isDecimal)
}

/** The most frequent number of fields, of several the greatest. Comments do not count, unless all are. */
function findColumns(records: readonly SampleRecord[]): number {
  const isAllComments = records.every(({ isComment }) => isComment)
  const counts = new Map<number, number>()
  for (const record of records) {
    const { length } = record
    if (isAllComments || !record.isComment) counts.set(length, (counts.get(length) ?? 0) + 1)
  }
  let mode = 0
  for (const [value, count] of counts) {
    const most = counts.get(mode) ?? 0
    if (count > most || (count === most && value > mode)) mode = value
  }
  return mode
}
