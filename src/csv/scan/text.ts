/** Reads the text of a file behind its byte order mark: checks its bytes and tallies its records. */
import type { Dialect } from './grammar'
import type { HeaderSearch } from './header-search'
import { narrowInput } from './narrow'
import { type RecordCounts, RecordTally, type Seen } from './records'
import { type Input, loadInput } from './skip-common'
import { SUSPECTS, type SuspectKind, SuspectSearch } from './suspects'
import { Utf8Check, type Utf8Findings } from './utf8'

interface Place {
  /** Physical line, from 1. */
  readonly line: number
  /** In bytes from the start of the file. */
  readonly offset: number
}

/** What `TextScan` found. */
export interface TextFindings {
  readonly counts: RecordCounts
  /** Whether there is nothing but spaces and line breaks. */
  readonly isBlank: boolean
  /** Whether every byte is a NUL. */
  readonly isAllNuls: boolean
  /** The first byte that is not UTF-8, and what is known of all of them. */
  readonly broken: (Utf8Findings & { readonly at: Place }) | undefined
  /** The first unit of UTF-16 or UTF-32 that is no character. */
  readonly brokenUnitLine: number | undefined
  readonly suspects: Readonly<Record<SuspectKind, Seen>>
  /** Records that repeat the header. */
  readonly repeats: Seen
  /** The end-of-file marks of DOS that the file ends with. */
  readonly ctrlZ: Seen
}

/** How the text is to be read. */
export interface Manner {
  readonly dialect: Dialect
  /** Records above the header that are none of the table. */
  readonly above: number
  /** The delimiter if it has several bytes. That of `dialect` stands for each of them. */
  readonly longDelimiter: Buffer | undefined
  readonly repeats: HeaderSearch | undefined
}

/** What the line of the first one is told of. */
type Lined = 'repeat' | 'unit' | SuspectKind

const NOTHING = Buffer.alloc(0)
const LF = 0x0a
const CR = 0x0d
const CTRL_Z = 0x1a

export class TextScan {
  private readonly manner: Manner
  private readonly tally: RecordTally
  private readonly utf8: Utf8Check | undefined
  private readonly suspects = new SuspectSearch()
  private readonly lines: Partial<Record<Lined, number>> = {}
  private broken: Place | undefined
  private readonly begin: number
  private offset: number
  private isBlank = true
  /** The end of the text so far, if it may be the beginning of a delimiter of several bytes. */
  private begun: Buffer = NOTHING
  private lastByte: number | undefined
  /** Those that came last: they end the file, unless something follows. */
  private ctrlZs = 0

  /** @param offset where the text begins in the file. */
  constructor(manner: Manner, isUtf8: boolean, offset: number) {
    this.manner = manner
    this.begin = offset
    this.tally = new RecordTally(manner.dialect, manner.above, manner.longDelimiter?.length ?? 1)
    this.utf8 = isUtf8 ? new Utf8Check() : undefined
    this.offset = offset
  }

  /**
   * Reads on. `bytes` may end anywhere, and is not kept.
   * @param brokenAt where in them the decoder met a unit that is no character.
   */
  scan(bytes: Uint8Array, brokenAt?: number): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (brokenAt !== undefined) this.lines.unit ??= this.findLine(piece, brokenAt)
    let end = piece.length
    while (end > 0 && piece[end - 1] === CTRL_Z) end--
    if (end > 0) {
      this.releaseCtrlZs()
      this.scanPiece(piece.subarray(0, end))
    }
    this.ctrlZs += piece.length - end
  }

  /** They were not the end of the file. */
  private releaseCtrlZs(): void {
    for (; this.ctrlZs > 0; this.ctrlZs = Math.max(this.ctrlZs - 65_536, 0)) {
      this.scanPiece(Buffer.alloc(Math.min(this.ctrlZs, 65_536), CTRL_Z))
    }
  }

  private scanPiece(bytes: Buffer): void {
    if (this.isBlank) this.isBlank = isBlank(bytes)
    const { longDelimiter, dialect } = this.manner
    for (let rest = bytes; rest.length > 0; ) {
      const input = loadInput(rest, dialect)
      const piece = rest.subarray(0, input.bytes.length)
      this.search(piece, input.countSuspects)
      if (longDelimiter === undefined) this.tally.scan(input, piece.length)
      else this.tallyNarrow(piece, longDelimiter)
      this.offset += piece.length
      this.lastByte = piece[piece.length - 1]
      rest = rest.subarray(piece.length)
    }
  }

  private tallyNarrow(piece: Buffer, delimiter: Buffer): void {
    let rest = this.begun.length === 0 ? piece : Buffer.concat([this.begun, piece])
    for (let ready = 1; rest.length > 0 && ready > 0; rest = rest.subarray(ready)) {
      const input = loadInput(rest, this.manner.dialect)
      ready = narrowInput(input, delimiter)
      this.tally.scan(input, ready)
    }
    this.begun = Buffer.from(rest)
  }

  /** Looks for what is no matter of the grammar, in front of the tally. */
  private search(piece: Buffer, countSuspects: Input['countSuspects']): void {
    const note = (kind: Lined, at: number | undefined) => {
      if (at !== undefined) this.lines[kind] ??= this.findLine(piece, at)
    }
    note('repeat', this.manner.repeats?.scan(piece))
    const suspects = this.suspects.scan(piece, countSuspects)
    for (const kind of SUSPECTS) note(kind, suspects[kind])
    const broken = this.utf8?.check(piece)
    if (broken !== undefined) this.broken = { line: this.findLine(piece, broken), offset: this.offset + broken }
  }

  /** The physical line that byte `at` of a piece is on, in front of which the tally stands. */
  private findLine(piece: Buffer, at: number): number {
    let { line } = this.tally
    for (let i = 0; i < at; i++) {
      const isAfterCr = (i === 0 ? this.lastByte : piece[i - 1]) === CR
      if (piece[i] === CR || (piece[i] === LF && !isAfterCr)) line++
    }
    return line
  }

  /** Ends the text. Call it once, after the last `scan`. */
  end(): TextFindings {
    const { tally, utf8, lines, suspects, manner } = this
    if (this.begun.length > 0) tally.scan(loadInput(this.begun, manner.dialect), this.begun.length)
    const endLine = tally.line
    const unfinished = utf8?.end()
    if (unfinished !== undefined) this.broken = { line: endLine, offset: this.offset + unfinished }
    if (manner.repeats?.end() !== undefined) lines.repeat ??= endLine
    const { broken } = this
    const seen = (kind: SuspectKind): Seen => ({ count: suspects.counts[kind], line: lines[kind] })
    return {
      counts: tally.end(),
      isBlank: this.isBlank,
      isAllNuls: suspects.counts.nul > 0 && suspects.counts.nul === this.offset - this.begin,
      broken: broken === undefined || utf8 === undefined ? undefined : { ...utf8.findings, at: broken },
      brokenUnitLine: lines.unit,
      suspects: {
        nul: seen('nul'),
        backslash: seen('backslash'),
        replacement: seen('replacement'),
        mark: seen('mark'),
        mojibake: seen('mojibake'),
      },
      repeats: { count: manner.repeats?.count ?? 0, line: lines.repeat },
      ctrlZ: { count: this.ctrlZs, line: endLine },
    }
  }
}

function isBlank(bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d) return false
  }
  return true
}
