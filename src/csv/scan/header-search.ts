/** Searches the whole file, piece by piece, for its header, and finds the same wherever the pieces are cut. */

const NOTHING = Buffer.alloc(0)
const LF = 0x0a
const CR = 0x0d

/** Counts the records that repeat the header. More than these would prove no more. */
const MOST_REPEATS = 1000
/** So much of a sample tells which bytes are rare. */
const COUNTED_BYTES = 2 * 1024
/** Longer ones Node searches in a manner that is slower here. */
const NEEDLE_BYTES = 7
/** A header of bytes that are all common, in a file that repeats parts of it: the search costs more than it gives. */
const MOST_MISSES = 10_000

export class HeaderSearch {
  count = 0
  private readonly header: Buffer
  private own: number
  private misses = 0
  private tail: Buffer = NOTHING
  /** Where in the header its rarest byte is: the search begins there. */
  private readonly rarest: number

  /**
   * @param header its bytes, without the line break
   * @param sample tells which bytes are rare
   * @param own how many of what is found are the header itself.
   */
  constructor(header: Buffer, sample: Uint8Array, own: number) {
    this.header = header
    this.own = own
    const counts = new Uint16Array(256)
    const counted = Math.min(sample.length, COUNTED_BYTES)
    for (let at = 0; at < counted; at++) {
      const byte = sample[at] as number
      counts[byte] = (counts[byte] as number) + 1
    }
    const countAt = (at: number) => counts[header[at] as number] as number
    let rarest = 0
    for (let at = 1; at < header.length - NEEDLE_BYTES; at++) if (countAt(at) < countAt(rarest)) rarest = at
    this.rarest = rarest
  }

  /** Goes on with `bytes`. Returns where in them the first one is: negative if it began in an earlier piece. */
  scan(bytes: Buffer): number | undefined {
    const room = this.header.length + 1
    const { tail } = this
    const early =
      tail.length === 0 ? undefined : this.searchIn(Buffer.concat([tail, bytes.subarray(0, room)]), tail.length)
    const late = this.searchIn(bytes, bytes.length)
    const end = bytes.subarray(-room)
    this.tail = end.length < room ? Buffer.concat([tail, end]).subarray(-room) : Buffer.from(end)
    return early === undefined ? late : early - tail.length
  }

  /** Ends the file. Returns where the last record begins, counted back from the end, if it is the first to repeat the header. */
  end(): number | undefined {
    return this.scan(Buffer.of(LF))
  }

  /** Finds records between two line breaks, the first of which stands before `end`. */
  private searchIn(bytes: Buffer, end: number): number | undefined {
    const { header, rarest } = this
    const needle = header.subarray(rarest, rarest + NEEDLE_BYTES)
    let first: number | undefined
    for (let found = bytes.indexOf(needle); found !== -1; found = bytes.indexOf(needle, found + 1)) {
      const at = found - rarest
      if (at - 1 >= end || this.count >= MOST_REPEATS || this.misses >= MOST_MISSES) break
      const isWhole = at >= 1 && isBreak(bytes[at - 1]) && isBreak(bytes[at + header.length])
      if (!isWhole || bytes.compare(header, 0, header.length, at, at + header.length) !== 0) this.misses++
      else if (this.own > 0) this.own--
      else {
        first ??= at
        this.count++
      }
    }
    return first
  }
}

const isBreak = (byte: number | undefined) => byte === LF || byte === CR
