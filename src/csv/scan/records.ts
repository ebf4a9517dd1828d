import * as grammar from './grammar'
import { listKinds } from './kinds'
import { type LineEnd, listLineEnds } from './line-ends'
import { type RaggedRow, RecordNotes } from './record-notes'
import type { CsvDelimiter } from './shape'
import { BLOCK_BYTES, loadInput, type Reading } from './skip-common'

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
  private readonly delimiter: number
  private readonly reading: Reading = { state: grammar.START, rows: 0, splits: 0, seen: 0 }
  /** Delimiters of the first record; before it ended -1, which is like no record, so that it is not passed over. */
  private expected = -1

  constructor(delimiter: CsvDelimiter) {
    this.kinds = listKinds(delimiter)
    this.delimiter = delimiter.charCodeAt(0)
  }

  /** The physical line the next byte is on. */
  get line(): number {
    return this.notes.findLine(this.reading.rows)
  }

  /** Reads on. `bytes` may end anywhere, and is not kept. */
  scan(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const input = loadInput(rest)
      for (let at = 0; at < input.length; ) {
        const begin = input.skip(at, this.delimiter, this.expected, this.reading)
        at = Math.min(begin + BLOCK_BYTES, input.length)
        this.scanBytes(rest, begin, at)
      }
      rest = rest.subarray(input.length)
    }
  }

  private scanBytes(bytes: Uint8Array, from: number, to: number): void {
    const { reading, kinds } = this
    let { state, seen } = reading
    for (let i = from; i < to; i++) {
      const step = state * grammar.KINDS + (kinds[bytes[i] as number] as number)
      const action = grammar.ACTION[step] as number
      state = grammar.NEXT[step] as number
      if (action === 0) continue
      seen |= action
      reading.splits += action & grammar.SPLIT
      if ((action & grammar.RECORD) !== 0) this.endRecord()
      else if ((action & grammar.RARE) !== 0) this.notes.noteRarity(action, reading.rows, reading.splits)
    }
    reading.state = state
    reading.seen = seen
  }

  private endRecord(): void {
    const { reading } = this
    if (this.expected === -1) this.expected = reading.splits
    if (reading.splits !== this.expected) this.notes.noteRagged(reading.rows, reading.splits)
    reading.rows++
    reading.splits = 0
  }

  /** Ends the last record. Call it once, after the last `scan`. */
  end(): RecordCounts {
    const { notes, reading } = this
    const { rows, splits, state } = reading
    const isOpen = state === grammar.QUOTED || state === grammar.QUOTED_CR
    const isWithin = state !== grammar.START && state !== grammar.AFTER_CR
    const isCutOff = isWithin && !isOpen && splits < this.expected
    if (state === grammar.AFTER_CR) reading.seen |= grammar.SAW_CR
    // One record, one fault: what is open or cut off is not called ragged too.
    if (isCutOff || (isOpen && this.expected !== -1)) reading.rows++
    else if (isWithin) this.endRecord()
    return {
      columns: this.expected + 1,
      rows: reading.rows,
      lineEnds: listLineEnds(reading.seen),
      ragged: notes.ragged,
      raggedCount: notes.raggedCount,
      cutOff: isCutOff ? notes.describeRecord(rows, splits) : undefined,
      unclosedLine: isOpen ? notes.findQuoteLine(rows, splits) : undefined,
      strayLine: notes.strayLine,
      strayCount: notes.strayCount,
    }
  }
}
