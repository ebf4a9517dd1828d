import { endianness } from 'node:os'
import * as byteKinds from './byte-kinds'
import * as grammar from './csv-grammar'
import type { CsvDelimiter } from './csv-shape'
import { type LineEnd, listLineEnds } from './line-ends'
import { type RaggedRow, RecordNotes } from './record-notes'

// Constants of this module, for speed: V8 reads them without looking where they are and how long.
const { NEXT4, ACTION4, QUADS, RECORD, RARE } = grammar
const { PAIR_KINDS } = byteKinds

/** What the lower and the upper half of a number of four bytes weigh in the index of a quad. */
const LOWER = endianness() === 'LE' ? 1 : grammar.KINDS ** 2
const UPPER = grammar.KINDS ** 2 / LOWER

/** What `RecordTally` counted. Lines are physical lines of the file, from 1. */
export interface RecordCounts {
  readonly columns: number
  readonly rows: number
  readonly lineEnds: readonly LineEnd[]
  /** The first few. */
  readonly ragged: readonly RaggedRow[]
  readonly raggedCount: number
  /** The last record, if it has fewer fields than the first and no line break after it. */
  readonly cutOff: RaggedRow | undefined
  readonly unclosedLine: number | undefined
  readonly strayLine: number | undefined
  /** Fields with a stray quote. */
  readonly strayCount: number
}

/** Counts records and fields, and finds what is wrong with them, in text whose ASCII is single bytes. */
export class RecordTally {
  private readonly notes = new RecordNotes()
  private readonly kinds: Uint8Array
  private readonly pairs: number
  private state = grammar.START
  private seen = 0
  private rows = 0
  /** Delimiters of the record that is being read. */
  private splits = 0
  /** Delimiters of the first record; before it ended -1, which is like no record, so that it is not passed over. */
  private expected = -1

  constructor(delimiter: CsvDelimiter) {
    this.kinds = byteKinds.listKinds(delimiter)
    this.pairs = byteKinds.placePairs(delimiter)
  }

  /** The physical line the next byte is on. */
  get line(): number {
    return this.notes.findLine(this.rows)
  }

  /** Reads on. `bytes` may end anywhere, and is not kept. */
  scan(bytes: Uint8Array): void {
    if (bytes.length < 8) {
      this.scanBytes(bytes, 0, bytes.length)
      return
    }
    // A number of four bytes must begin at a multiple of four in memory.
    const start = -bytes.byteOffset & 3
    const input = new Int32Array(bytes.buffer, bytes.byteOffset + start, (bytes.length - start) >> 2)
    this.scanBytes(bytes, 0, start)
    for (let i = this.skipCommon(input, 0); i < input.length; i = this.skipCommon(input, i + 1)) {
      this.scanBytes(bytes, start + i * 4, start + i * 4 + 4)
    }
    this.scanBytes(bytes, start + input.length * 4, bytes.length)
  }

  /**
   * Reads four bytes per look-up as long as nothing is to be noted, whatever the quoting: about twice as fast as a
   * loop over bytes, whose branches a processor cannot foresee.
   * @returns the index of the four bytes that are to be read one by one.
   */
  private skipCommon(input: Int32Array, from: number): number {
    const { pairs, expected } = this
    let { rows, splits, seen } = this
    let state = this.state * QUADS
    let i = from
    for (; i < input.length; i++) {
      const word = input[i] as number
      const lower = PAIR_KINDS[pairs | (word & 0xffff)] as number
      const upper = PAIR_KINDS[pairs | (word >>> 16)] as number
      const step = state + (lower * LOWER + upper * UPPER)
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
      if ((action & RECORD) !== 0) this.endRecord()
      else if ((action & RARE) !== 0) this.notes.noteRarity(action, this.rows, this.splits)
    }
  }

  private endRecord(): void {
    if (this.expected === -1) this.expected = this.splits
    if (this.splits !== this.expected) this.notes.noteRagged(this.rows, this.splits)
    this.rows++
    this.splits = 0
  }

  /** Ends the last record. Call it once, after the last `scan`. */
  end(): RecordCounts {
    const { notes, rows, splits, state } = this
    const isOpen = state === grammar.QUOTED || state === grammar.QUOTED_CR
    const isWithin = state !== grammar.START && state !== grammar.AFTER_CR
    const isCutOff = isWithin && !isOpen && splits < this.expected
    if (state === grammar.AFTER_CR) this.seen |= grammar.SAW_CR
    // One record, one fault: what is open or cut off is not called ragged too.
    if (isCutOff || (isOpen && this.expected !== -1)) this.rows++
    else if (isWithin) this.endRecord()
    return {
      columns: this.expected + 1,
      rows: this.rows,
      lineEnds: listLineEnds(this.seen),
      ragged: notes.ragged,
      raggedCount: notes.raggedCount,
      cutOff: isCutOff ? notes.describeRecord(rows, splits) : undefined,
      unclosedLine: isOpen ? notes.findQuoteLine(rows, splits) : undefined,
      strayLine: notes.strayLine,
      strayCount: notes.strayCount,
    }
  }
}
