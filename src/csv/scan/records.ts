/** Counts records and fields in text whose ASCII is single bytes, and finds what is wrong with them. */
import * as grammar from './grammar'
import { BLOCK_BYTES, type Input, RAGGED, type Reading } from './skip-common'

/** A record whose number of fields is not that of the first. */
interface RaggedRow {
  /** Where the record begins. */
  readonly line: number
  readonly fields: number
}

/** How often something was seen, and the line where it first was. */
export interface Seen {
  readonly count: number
  readonly line: number | undefined
}

/** What `RecordTally` counted. Lines are physical lines of the file, from 1. */
export interface RecordCounts {
  readonly columns: number
  /** Whether every record has one field. */
  readonly isOneColumn: boolean
  /** Without those above the header; a header is one of them. */
  readonly records: number
  readonly lineEnds: readonly grammar.LineEnd[]
  /** The first few. */
  readonly ragged: readonly RaggedRow[]
  readonly raggedCount: number
  /** The last record, if it has fewer fields than the first and no line break after it. */
  readonly cutOff: RaggedRow | undefined
  readonly unclosedLine: number | undefined
  /** Fields with a stray quote. */
  readonly strays: Seen
  /** Line breaks within quotes. */
  readonly quotedBreaks: Seen
  /** Records of several fields that are all empty. */
  readonly emptyRows: Seen
}

const RAGGED_KEPT = 5

/** Most of the work is done in skip-common; what is the first of its kind is looked at here, for its line. */
export class RecordTally {
  private readonly ragged: RaggedRow[] = []
  private strayLine: number | undefined
  private breakLine: number | undefined
  private emptyLine: number | undefined
  private readonly kinds: Uint8Array
  private readonly above: number
  private readonly width: number
  private readonly reading: Reading = {
    state: grammar.START,
    rows: 0,
    splits: 0,
    lines: 0,
    recordLine: 0,
    quoteLine: 0,
    ragged: 0,
    strays: 0,
    breaks: 0,
    empties: 0,
    seen: 0,
  }
  /** Delimiters of the first record. Before it ended -1, which is like no record, so that it is looked at here. */
  private expected = -1

  /**
   * @param above how many records above the header are none of the table.
   * @param width how many delimiters of the grammar stand for one of the file.
   */
  constructor(dialect: grammar.Dialect, above: number, width: number) {
    this.kinds = grammar.listKinds(dialect)
    this.above = above
    this.width = width
  }

  /** The physical line the next byte is on. */
  get line(): number {
    return 1 + this.reading.lines
  }

  /** Reads on, up to the byte `end` of the input, which may be anywhere. */
  scan(input: Input, end: number): void {
    for (let at = 0; at < end; ) {
      const begin = input.scan(at, end, this.expected, this.wanted, this.reading)
      at = Math.min(begin + BLOCK_BYTES, end)
      this.scanBytes(input.bytes, begin, at)
    }
  }

  /** What is still to be looked at here. */
  private get wanted(): number {
    const { expected } = this
    return (
      (this.strayLine === undefined ? grammar.STRAY_QUOTE : 0) |
      (this.breakLine === undefined ? grammar.QUOTED_BREAK : 0) |
      (this.emptyLine === undefined && expected > 0 ? grammar.EMPTY_ROW : 0) |
      (expected === -1 || this.ragged.length < RAGGED_KEPT ? RAGGED : 0)
    )
  }

  private scanBytes(bytes: Uint8Array, from: number, to: number): void {
    const { reading, kinds } = this
    let { state } = reading
    for (let i = from; i < to; i++) {
      const step = state * grammar.KINDS + (kinds[bytes[i] as number] as number)
      const action = grammar.ACTION[step] as number
      state = grammar.NEXT[step] as number
      if (action === 0) continue
      reading.seen |= action
      if (action === grammar.SPLIT) reading.splits++
      else this.act(action)
    }
    reading.state = state
  }

  private act(action: number): void {
    const { reading } = this
    if ((action & grammar.SPLIT) !== 0) reading.splits++
    if ((action & grammar.OPENING) !== 0) reading.quoteLine = reading.lines
    if ((action & grammar.STRAY_QUOTE) !== 0) {
      this.strayLine ??= this.line
      reading.strays++
    }
    if ((action & grammar.QUOTED_BREAK) !== 0) {
      this.breakLine ??= this.line
      reading.breaks++
    }
    if ((action & grammar.RECORD) !== 0) this.endRecord((action & grammar.EMPTY_ROW) !== 0)
    if ((action & grammar.NEW_LINE) !== 0) reading.lines++
    if ((action & grammar.OUTSIDE_BREAK) !== 0) reading.recordLine = reading.lines
  }

  private endRecord(isEmpty: boolean): void {
    const { reading } = this
    const { splits } = reading
    const isAbove = reading.rows < this.above
    if (!isAbove && this.expected === -1) this.expected = splits
    if (!isAbove && splits !== this.expected) {
      reading.ragged++
      if (this.ragged.length < RAGGED_KEPT) this.ragged.push(this.describeRecord())
    }
    if (isEmpty && !isAbove && this.expected > 0) {
      this.emptyLine ??= 1 + reading.recordLine
      reading.empties++
    }
    reading.rows++
    reading.splits = 0
  }

  private describeRecord(): RaggedRow {
    return { line: 1 + this.reading.recordLine, fields: this.reading.splits / this.width + 1 }
  }

  /** Ends the last record. Call it once, after the last `scan`. */
  end(): RecordCounts {
    const { reading } = this
    const { state } = reading
    const isOpen = grammar.isOpen(state)
    const isWithin = grammar.isWithinRecord(state)
    const isCutOff = isWithin && !isOpen && reading.splits < this.expected
    const last = this.describeRecord()
    if (state === grammar.AFTER_CR) reading.seen |= grammar.SAW_CR
    // One record, one fault: what is open or cut off is not called ragged too.
    if (isCutOff || (isOpen && this.expected !== -1)) reading.rows++
    else if (isWithin) this.endRecord(state === grammar.VOID || state === grammar.VOID_CLOSED)
    return {
      columns: this.expected === -1 ? 0 : this.expected / this.width + 1,
      isOneColumn: this.expected < 1 && reading.ragged === 0,
      records: Math.max(reading.rows - this.above, 0),
      lineEnds: grammar.listLineEnds(reading.seen),
      ragged: this.ragged,
      raggedCount: reading.ragged,
      cutOff: isCutOff ? last : undefined,
      unclosedLine: isOpen ? 1 + reading.quoteLine : undefined,
      strays: { count: reading.strays, line: this.strayLine },
      quotedBreaks: { count: reading.breaks, line: this.breakLine },
      emptyRows: { count: this.expected > 0 ? reading.empties : 0, line: this.emptyLine },
    }
  }
}
