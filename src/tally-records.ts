import * as grammar from './csv-grammar'
import type { CsvDelimiter } from './csv-shape'

const { NEXT4, ACTION4, RECORD, RARE, QUADS } = grammar

/** A record whose number of fields is not that of the first. */
interface RaggedRow {
  readonly line: number
  readonly fields: number
}

/** What `RecordTally` counted. Lines are physical lines of the file, from 1. */
export interface RecordCounts {
  readonly columns: number
  readonly rows: number
  readonly lineEnds: readonly ('lf' | 'crlf' | 'cr')[]
  /** The first few. */
  readonly ragged: readonly RaggedRow[]
  readonly raggedCount: number
  /** The last record, if it has fewer fields than the first and no line break after it. */
  readonly cutOff: RaggedRow | undefined
  readonly unclosedLine: number | undefined
  readonly strayLine: number | undefined
  readonly strayCount: number
}

const RAGGED_KEPT = 5

const PAIRS = grammar.KINDS ** 2

/** Counts records and fields, and finds what is wrong with them, in text whose line breaks are those of ASCII. */
export class RecordTally {
  private readonly kinds = new Uint8Array(256)
  private readonly pairs: Uint16Array
  private state = grammar.START
  private seen = 0
  private rows = 0
  /** Delimiters of the record that is being read. */
  private splits = 0
  /** Delimiters of the first record; -1 is like no record, so that the first one is looked at too. */
  private expected = -1
  /** Line breaks that ended no record. */
  private otherBreaks = 0
  private readonly ragged: RaggedRow[] = []
  private raggedCount = 0
  private strayLine: number | undefined
  private strayCount = 0
  // The last record (by its number) and the last field in it that hold a line break, and where each began: nothing
  // need be kept for the records without.
  private brokenRow = -1
  private brokenRowLine = 0
  private brokenField = -1
  private brokenFieldLine = 0

  constructor(delimiter: CsvDelimiter) {
    this.kinds[delimiter.charCodeAt(0)] = grammar.DELIMITER
    this.kinds[0x22] = grammar.QUOTE
    this.kinds[0x0a] = grammar.LF
    this.kinds[0x0d] = grammar.CR
    this.pairs = pairUp(this.kinds)
  }

  /** The physical line the next byte is on. */
  get line(): number {
    return 1 + this.rows + this.otherBreaks
  }

  /** Reads on. `bytes` may end anywhere, and is not kept. */
  scan(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    // Where a number of two bytes may not begin.
    const odd = bytes.byteOffset & 1
    const quads = (bytes.length - odd) >> 2
    this.scanBytes(bytes, 0, odd)
    this.scanQuads(bytes, odd, quads)
    this.scanBytes(bytes, odd + quads * 4, bytes.length)
  }

  private scanQuads(bytes: Uint8Array, from: number, quads: number): void {
    const input = new Uint16Array(bytes.buffer, bytes.byteOffset + from, quads * 2)
    for (let i = this.skipCommon(input, 0); i < input.length; i = this.skipCommon(input, i + 2)) {
      this.scanBytes(bytes, from + i * 2, from + i * 2 + 4)
    }
  }

  /**
   * One look-up per four bytes, whatever the quoting: about twice as fast as a loop over bytes, whose branches a
   * processor cannot foresee.
   */
  private skipCommon(input: Uint16Array, from: number): number {
    const { pairs, expected } = this
    let { rows, splits, seen } = this
    let state = this.state * QUADS
    let i = from
    for (; i < input.length; i += 2) {
      const quad = (pairs[input[i] as number] as number) + (pairs[input[i + 1] as number] as number) * PAIRS
      const step = state + quad
      const action = ACTION4[step] as number
      if (action <= 4) {
        splits += action
      } else {
        if ((action & RARE) !== 0) break
        if ((action & RECORD) !== 0) {
          if (splits + ((action >> 3) & 7) !== expected) break
          rows++
          splits = 0
        }
        splits += action & 7
        seen |= action
      }
      state = NEXT4[step] as number
    }
    this.rows = rows
    this.splits = splits
    this.seen = seen
    this.state = (state / QUADS) | 0
    return i
  }

  private scanBytes(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const step = this.state * grammar.KINDS + (this.kinds[bytes[i] as number] as number)
      const action = grammar.ACTION[step] as number
      this.state = grammar.NEXT[step] as number
      this.seen |= action
      this.splits += action & grammar.SPLIT
      if ((action & grammar.RECORD) !== 0) this.endRecord()
      else if ((action & grammar.RARE) !== 0) this.noteRarity(action)
    }
  }

  private endRecord(): void {
    if (this.expected === -1) this.expected = this.splits
    if (this.splits !== this.expected) {
      if (this.raggedCount++ < RAGGED_KEPT) this.ragged.push(this.describeRecord())
    }
    this.rows++
    this.splits = 0
  }

  private describeRecord(): RaggedRow {
    return { line: this.brokenRow === this.rows ? this.brokenRowLine : this.line, fields: this.splits + 1 }
  }

  private noteRarity(action: number): void {
    if ((action & grammar.STRAY_QUOTE) !== 0) {
      this.strayLine ??= this.line
      this.strayCount++
      return
    }
    if ((action & grammar.QUOTED_BREAK) !== 0) {
      if (this.brokenRow !== this.rows) {
        this.brokenRow = this.rows
        this.brokenRowLine = this.line
        this.brokenField = -1
      }
      if (this.brokenField !== this.splits) {
        this.brokenField = this.splits
        this.brokenFieldLine = this.line
      }
    }
    this.otherBreaks++
  }

  /** Ends the last record. Call it once, after the last `scan`. */
  end(): RecordCounts {
    const open = this.state === grammar.QUOTED || this.state === grammar.QUOTED_CR
    const broken = this.brokenRow === this.rows && this.brokenField === this.splits
    const unclosedLine = open ? (broken ? this.brokenFieldLine : this.line) : undefined
    if (open && this.expected === -1) this.expected = this.splits
    const cutOff = !open && this.isWithinRecord() && this.splits < this.expected ? this.describeRecord() : undefined
    if (this.state === grammar.AFTER_CR) this.seen |= grammar.SAW_CR
    if (open || cutOff !== undefined) this.rows++
    else if (this.isWithinRecord()) this.endRecord()
    return {
      columns: this.expected + 1,
      rows: this.rows,
      lineEnds: [
        ...((this.seen & grammar.SAW_LF) !== 0 ? (['lf'] as const) : []),
        ...((this.seen & grammar.SAW_CRLF) !== 0 ? (['crlf'] as const) : []),
        ...((this.seen & grammar.SAW_CR) !== 0 ? (['cr'] as const) : []),
      ],
      ragged: this.ragged,
      raggedCount: this.raggedCount,
      cutOff,
      unclosedLine,
      strayLine: this.strayLine,
      strayCount: this.strayCount,
    }
  }

  private isWithinRecord(): boolean {
    return this.state !== grammar.START && this.state !== grammar.AFTER_CR
  }
}

/**
 * The kinds of two bytes as digits to the base `KINDS`, first byte lowest, by those bytes as one number in the byte
 * order of this machine.
 */
function pairUp(kinds: Uint8Array): Uint16Array {
  const pairs = new Uint16Array(1 << 16)
  const number = new Uint16Array(1)
  const bytes = new Uint8Array(number.buffer)
  for (let i = 0; i < pairs.length; i++) {
    number[0] = i
    pairs[i] = (kinds[bytes[0] as number] as number) + (kinds[bytes[1] as number] as number) * grammar.KINDS
  }
  return pairs
}
