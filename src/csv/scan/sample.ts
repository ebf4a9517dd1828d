import * as grammar from './grammar'

/** A record in the beginning of a file. */
export interface SampleRecord {
  /** As they stand there, with their quotes. */
  readonly raw: readonly string[]
  /** What a reader makes of them. */
  readonly fields: readonly string[]
  /** Whether quotes stand where none may be. */
  readonly isStray: boolean
}

/** More records would make no better guess. */
const MOST_RECORDS = 50

/** A delimiter that is no single ASCII character is read as this one, which Unicode leaves to private use. */
const STAND_IN = '\uf8ff'
const STAND_IN_CODE = STAND_IN.charCodeAt(0)

/**
 * Reads the beginning of a file by the grammar of the whole.
 * @param isWhole whether `text` is all there is, so that its last record is whole too.
 */
export function readSample(text: string, delimiter: string, escapes: boolean, isWhole: boolean): SampleRecord[] {
  const isSingle = delimiter.length === 1 && delimiter < '\x80'
  const input = isSingle ? text : text.replaceAll(delimiter, STAND_IN)
  const kinds = grammar.listKinds({ delimiter: isSingle ? delimiter.charCodeAt(0) : 0xff, escapes })
  const standIn = isSingle ? grammar.OTHER : (kinds[0xff] as number)
  const records: SampleRecord[] = []
  let raw: string[] = []
  let isStray = false
  let begin = 0
  let state: number = grammar.START
  let wasOther = false
  for (let at = 0; at < input.length; at++) {
    const code = input.charCodeAt(at)
    const kind = code < 0x80 ? (kinds[code] as number) : code === STAND_IN_CODE ? standIn : grammar.OTHER
    if (kind === grammar.OTHER) {
      // The first of a run of them may do something, the others never do.
      if (wasOther) continue
      wasOther = true
    } else wasOther = false
    const step = state * grammar.KINDS + kind
    const action = grammar.ACTION[step] as number
    state = grammar.NEXT[step] as number
    if (action === 0) continue
    if ((action & grammar.STRAY_QUOTE) !== 0) isStray = true
    if ((action & (grammar.SPLIT | grammar.RECORD)) !== 0) raw.push(input.slice(begin, at))
    if ((action & grammar.RECORD) !== 0) {
      records.push(makeRecord(raw, isStray, escapes))
      if (records.length === MOST_RECORDS) return records
      raw = []
      isStray = false
    }
    const isBetween = (action & (grammar.SPLIT | grammar.OUTSIDE_BREAK)) !== 0 || state === grammar.START
    if (isBetween) begin = at + 1
  }
  if (grammar.isWithinRecord(state)) {
    if (isWhole) raw.push(input.slice(begin))
    if (isWhole || (records.length === 0 && raw.length > 0)) records.push(makeRecord(raw, isStray, escapes))
  }
  return records
}

function makeRecord(raw: readonly string[], isStray: boolean, escapes: boolean): SampleRecord {
  const isQuoted = raw.some(field => field.startsWith('"'))
  return { raw, fields: isQuoted ? raw.map(field => unquote(field, escapes)) : raw, isStray }
}

function unquote(field: string, escapes: boolean): string {
  if (!field.startsWith('"')) return field
  const inner = field.slice(1, field.length > 1 && field.endsWith('"') ? -1 : undefined)
  return escapes ? inner.replace(/\\(.)/gs, '$1') : inner.replaceAll('""', '"')
}
