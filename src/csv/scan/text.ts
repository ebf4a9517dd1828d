import { type RecordCounts, RecordTally } from './records'
import type { CsvDelimiter } from './shape'
import { Utf8Check } from './utf8'

interface Place {
  /** Physical line, from 1. */
  readonly line: number
  /** In bytes from the start of the file. */
  readonly offset: number
}

/** What `TextScan` found. */
export interface TextFindings extends RecordCounts {
  /** Whether there is nothing but spaces and line breaks. */
  readonly blank: boolean
  readonly nulCount: number
  readonly nulLine: number | undefined
  readonly invalidUtf8: Place | undefined
}

/** Reads the text of a file behind its byte order mark: checks its encoding and tallies its records. */
export class TextScan {
  private readonly tally: RecordTally
  private readonly utf8: Utf8Check | undefined
  private offset: number
  private blank = true
  private nulCount = 0
  private nulLine: number | undefined
  private invalidUtf8: Place | undefined

  /** @param offset where the text begins in the file. */
  constructor(delimiter: CsvDelimiter, isUtf8: boolean, offset: number) {
    this.tally = new RecordTally(delimiter)
    this.utf8 = isUtf8 ? new Utf8Check() : undefined
    this.offset = offset
  }

  /** Reads on. `bytes` may end anywhere, and is not kept. */
  scan(bytes: Uint8Array): void {
    this.blank &&= bytes.every(byte => byte === 0x20 || byte === 0x0a || byte === 0x0d)
    const invalid = this.invalidUtf8 === undefined ? this.utf8?.check(bytes) : undefined
    const nul = findNul(bytes)
    if (nul !== undefined) this.nulCount += countNuls(bytes.subarray(nul))

    let done = 0
    // The tally knows the line it has come to, so it is stopped where a line is asked for.
    const findLine = (at: number) => {
      this.tally.scan(bytes.subarray(done, at))
      done = Math.max(done, at)
      return this.tally.line
    }
    const places = [invalid, nul].filter(at => at !== undefined).sort((a, b) => a - b)
    for (const at of places) {
      const line = findLine(Math.max(at, 0))
      if (at === invalid) this.invalidUtf8 = { line, offset: this.offset + at }
      if (at === nul) this.nulLine ??= line
    }
    findLine(bytes.length)
    this.offset += bytes.length
  }

  /** Ends the text. Call it once, after the last `scan`. */
  end(): TextFindings {
    const unfinished = this.utf8?.unfinished ?? 0
    if (this.invalidUtf8 === undefined && unfinished > 0) {
      this.invalidUtf8 = { line: this.tally.line, offset: this.offset - unfinished }
    }
    const { blank, nulCount, nulLine, invalidUtf8 } = this
    return { ...this.tally.end(), blank, nulCount, nulLine, invalidUtf8 }
  }
}

/** The first NUL. A `Buffer` leaves the search to native code that is many times as fast as the rest of the scan. */
function findNul(bytes: Uint8Array): number | undefined {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(0)
  return at === -1 ? undefined : at
}

/** What a hole in a sparse file reads as. */
const HOLE = Buffer.alloc(512 * 1024)

function countNuls(bytes: Uint8Array): number {
  if (bytes.length <= HOLE.length && HOLE.subarray(0, bytes.length).equals(bytes)) return bytes.length
  let count = 0
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) count++
  return count
}
