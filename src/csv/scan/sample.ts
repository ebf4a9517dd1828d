import * as grammar from './grammar'

/** A record in the beginning of a file. Its fields are cut out when they are asked for, since most never are. */
export class SampleRecord {
  /** Whether quotes stand where none may be. */
  readonly isStray: boolean
  private readonly text: string
  /** Where each field begins and ends. */
  private readonly bounds: readonly number[]
  private readonly escapes: boolean

  constructor(text: string, bounds: readonly number[], escapes: boolean, isStray: boolean) {
    this.text = text
    this.bounds = bounds
    this.escapes = escapes
    this.isStray = isStray
  }

  /** The number of fields. */
  get length(): number {
    return this.bounds.length / 2
  }

  /** The fields as they stand there, with their quotes. */
  get raw(): string[] {
    return Array.from({ length: this.length }, (_, index) => this.rawAt(index))
  }

  /** What a reader makes of them. */
  get fields(): string[] {
    return this.raw.map(field => unquote(field, this.escapes))
  }

  /** One field as a reader has it; empty if there are not so many. */
  fieldAt(index: number): string {
    return index < this.length ? unquote(this.rawAt(index), this.escapes) : ''
  }

  get isComment(): boolean {
    return this.text[this.bounds[0] as number] === '#' && this.bounds[0] !== this.bounds[1]
  }

  private rawAt(index: number): string {
    return this.text.slice(this.bounds[2 * index], this.bounds[2 * index + 1])
  }
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
  let bounds: number[] = []
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
    if ((action & (grammar.SPLIT | grammar.RECORD)) !== 0) bounds.push(begin, at)
    if ((action & grammar.RECORD) !== 0) {
      records.push(new SampleRecord(input, bounds, escapes, isStray))
      if (records.length === MOST_RECORDS) return records
      bounds = []
      isStray = false
    }
    const isBetween = (action & (grammar.SPLIT | grammar.OUTSIDE_BREAK)) !== 0 || state === grammar.START
    if (isBetween) begin = at + 1
  }
  if (grammar.isWithinRecord(state)) {
    if (isWhole) bounds.push(begin, input.length)
    if (isWhole || (records.length === 0 && bounds.length > 0)) {
      records.push(new SampleRecord(input, bounds, escapes, isStray))
    }
  }
  return records
}

function unquote(field: string, escapes: boolean): string {
  if (!field.startsWith('"')) return field
  const inner = field.slice(1, field.length > 1 && field.endsWith('"') ? -1 : undefined)
  return escapes ? inner.replace(/\\(.)/gs, '$1') : inner.replaceAll('""', '"')
}
