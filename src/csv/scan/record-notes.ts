import { QUOTED_BREAK, STRAY_QUOTE } from './grammar'

/** A record whose number of fields is not that of the first. */
export interface RaggedRow {
  /** Where the record begins. */
  readonly line: number
  readonly fields: number
}

const RAGGED_KEPT = 5

/**
 * Notes what is rare in a file, so that the loop over its bytes need keep two numbers only: `rows`, the records that
 * have ended, and `splits`, the delimiters since. Lines are physical lines of the file, from 1.
 */
export class RecordNotes {
  /** The first few. */
  readonly ragged: RaggedRow[] = []
  raggedCount = 0
  strayLine: number | undefined
  strayCount = 0
  /** Line breaks that ended no record. */
  private otherBreaks = 0
  // The last record (by its number) and the last field in it that hold a line break, and where each began: nothing
  // need be kept for the records without.
  private brokenRow = -1
  private brokenRowLine = 0
  private brokenField = -1
  private brokenFieldLine = 0

  /** The line that has been come to. */
  findLine(rows: number): number {
    return 1 + rows + this.otherBreaks
  }

  /** The line where the quote of the field that is being read was opened. */
  findQuoteLine(rows: number, splits: number): number {
    const isBroken = this.brokenRow === rows && this.brokenField === splits
    return isBroken ? this.brokenFieldLine : this.findLine(rows)
  }

  /** The record that is being read, if it ends here. */
  describeRecord(rows: number, splits: number): RaggedRow {
    return { line: this.brokenRow === rows ? this.brokenRowLine : this.findLine(rows), fields: splits + 1 }
  }

  /** The record that is being read ends here, and has another number of fields than the first. */
  noteRagged(rows: number, splits: number): void {
    if (this.raggedCount++ < RAGGED_KEPT) this.ragged.push(this.describeRecord(rows, splits))
  }

  /** Takes an `action` of the grammar that is `RARE`. */
  noteRarity(action: number, rows: number, splits: number): void {
    if ((action & STRAY_QUOTE) !== 0) {
      this.strayLine ??= this.findLine(rows)
      this.strayCount++
      return
    }
    if ((action & QUOTED_BREAK) !== 0) this.noteQuotedBreak(rows, splits)
    this.otherBreaks++
  }

  private noteQuotedBreak(rows: number, splits: number): void {
    if (this.brokenRow !== rows) {
      this.brokenRow = rows
      this.brokenRowLine = this.findLine(rows)
      this.brokenField = -1
    }
    if (this.brokenField !== splits) {
      this.brokenField = splits
      this.brokenFieldLine = this.findLine(rows)
    }
  }
}
