/**
 * The hot loop over CSV text, in WebAssembly with SIMD: it looks at 64 bytes at once, several times as fast as a loop in
 * JavaScript. Its source is skip-common.wat, of which `npm run assemble` makes skip-common.wasm.ts.
 *
 * If you change this file: the places of the numbers in memory, and the lanes of the table, are also in the source.
 */
import * as grammar from './grammar'
import { SKIP_COMMON } from './skip-common.wasm'

/** What this file needs of what every Node has; TypeScript knows it only together with the whole of the browser. */
declare const WebAssembly: {
  validate(binary: Uint8Array): boolean
  readonly Module: new (binary: Uint8Array) => object
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer }
      scan(at: number, end: number): number
      count(at: number, end: number): void
      narrow(at: number, end: number, length: number): number
    }
  }
}

/** Bytes that are looked at together. */
export const BLOCK_BYTES = 64
/** In the set of wanted actions: records of another length. It is no action of the grammar. */
export const RAGGED = 1 << 10

const NEXT_AT = 512
const COUNTS_AT = 2048
const MASKS_AT = 8192
const DELIMITER_AT = 14_336
const INPUT_AT = 16 * 1024
/** Of `numbers`, where those of the suspects begin. */
const SUSPECTS = 26
const KINDS_OF_SUSPECTS = 5
const STATES = grammar.NEXT.length / grammar.KINDS
/** Places of the table for one state: one for each pair of kinds. */
const PAIRS = grammar.KINDS ** 2
/** Bytes behind a suspect's first one that tell what it is. */
const SUSPECT_BYTES = 4
/** Room for input in the memory that the source asks for. */
const MOST_INPUT_BYTES = 128 * 1024

/** How far reading has come between two bytes. */
export interface Reading {
  /** Of the grammar. */
  state: number
  /** Records that have ended. */
  rows: number
  /** Delimiters of the record that is being read. */
  splits: number
  /** Line breaks so far, those before the record that is being read, and those before the quote that opened last. */
  lines: number
  recordLine: number
  quoteLine: number
  /** Records with another number of delimiters than expected. */
  ragged: number
  strays: number
  /** Line breaks within quotes. */
  breaks: number
  /** Records with only empty fields. */
  empties: number
  /** The kinds of line breaks so far: the `SAW_…` flags of the grammar. Other flags mean nothing. */
  seen: number
}

/** Text that was put where the loop can reach it. */
export interface Input {
  /** All of it that there was room for. */
  readonly bytes: Uint8Array
  /**
   * Reads on from the byte `from` to `to`, in whole blocks, and stops in front of a block that does something `wanted`.
   * @param expected delimiters of a record
   * @returns the byte it stopped at.
   */
  scan(from: number, to: number, expected: number, wanted: number, reading: Reading): number
  /**
   * Counts the characters of suspects.ts up to the byte that is returned.
   * @param note gets how many of a kind there are, by its place in the list of kinds, and where the first one is.
   */
  countSuspects(note: (kind: number, count: number, at: number) => void): number
  /** Does what narrow.ts says up to the byte that is returned. */
  narrow(delimiter: Uint8Array): number
}

type Load = (bytes: Uint8Array, dialect: grammar.Dialect) => Input

/** One for the whole process: it keeps nothing from one piece of text to the next. `undefined` before its first use. */
let load: Load | undefined

/** Puts as much of `bytes` where the loop can reach it as there is room for, until the next call. */
export function loadInput(bytes: Uint8Array, dialect: grammar.Dialect): Input {
  load ??= startLoop()
  return load(bytes, dialect)
}

function startLoop(): Load {
  const binary = Buffer.from(SKIP_COMMON, 'base64')
  // A processor without SIMD: the callers read byte by byte, which comes to the same.
  if (!WebAssembly.validate(binary)) {
    return bytes => ({ bytes: Uint8Array.from(bytes), scan: from => from, countSuspects: () => 0, narrow: () => 0 })
  }
  const { memory, scan, count, narrow } = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports
  const input = new Uint8Array(memory.buffer, INPUT_AT, MOST_INPUT_BYTES)
  const numbers = new Int32Array(memory.buffer, 0, 48)
  const delimiterInput = new Uint8Array(memory.buffer, DELIMITER_AT, INPUT_AT - DELIMITER_AT)
  numbers.set(
    [
      ...[grammar.START, grammar.VOID, grammar.FIELD, grammar.PLAIN, grammar.QUOTED, grammar.CLOSED],
      ...[grammar.VOID_QUOTED, grammar.VOID_CLOSED, grammar.AFTER_CR],
    ],
    16,
  )
  fillTables(memory.buffer)
  let kindsNow: Uint8Array | undefined
  let length = 0
  const full: Input = {
    bytes: input,
    scan: (from, to, expected, wanted, reading) => {
      const blocks = to - from - ((to - from) % BLOCK_BYTES)
      if (blocks === 0) return from
      const { lines } = reading
      // Counts of this piece, and lines relative to its first: 32 bits are enough whatever the file.
      const back = (line: number) => Math.max(line - lines, -(2 ** 31))
      numbers.fill(0, 0, 11)
      numbers[0] = reading.state
      numbers[2] = reading.splits
      numbers[4] = back(reading.recordLine)
      numbers[5] = back(reading.quoteLine)
      numbers[11] = expected
      numbers[12] = wanted
      const at = scan(INPUT_AT + from, INPUT_AT + from + blocks) - INPUT_AT
      reading.state = numbers[0] as number
      reading.rows += numbers[1] as number
      reading.splits = numbers[2] as number
      reading.lines += numbers[3] as number
      reading.recordLine = lines + (numbers[4] as number)
      reading.quoteLine = lines + (numbers[5] as number)
      reading.ragged += numbers[6] as number
      reading.strays += numbers[7] as number
      reading.breaks += numbers[8] as number
      reading.empties += numbers[9] as number
      reading.seen |= numbers[10] as number
      return at
    },
    countSuspects: note => {
      const end = Math.max(length - SUSPECT_BYTES, 0)
      const searched = end - (end % BLOCK_BYTES)
      numbers.fill(0, SUSPECTS, SUSPECTS + 2 * KINDS_OF_SUSPECTS)
      count(INPUT_AT, INPUT_AT + searched)
      for (let kind = 0; kind < KINDS_OF_SUSPECTS; kind++) {
        const many = numbers[SUSPECTS + 2 * kind] as number
        if (many > 0) note(kind, many, (numbers[SUSPECTS + 2 * kind + 1] as number) - INPUT_AT)
      }
      return searched
    },
    narrow: delimiter => {
      const end = Math.max(length - delimiter.length, 0)
      delimiterInput.set(delimiter)
      return narrow(INPUT_AT, INPUT_AT + end - (end % BLOCK_BYTES), delimiter.length) - INPUT_AT
    },
  }

  return (bytes, dialect) => {
    length = Math.min(bytes.length, MOST_INPUT_BYTES)
    input.set(length < bytes.length ? bytes.subarray(0, length) : bytes)
    const dialectKinds = grammar.listKinds(dialect)
    if (dialectKinds !== kindsNow) {
      kindsNow = dialectKinds
      numbers[13] = dialect.delimiter
      numbers[14] = dialectKinds[0x5c] as number
    }
    return length === MOST_INPUT_BYTES ? full : { ...full, bytes: input.subarray(0, length) }
  }
}

/** Makes the table of pairs: what two steps of the grammar do together. The lanes are told in the source. */
function fillTables(memory: ArrayBuffer): void {
  const next = new Uint16Array(memory, NEXT_AT, STATES * PAIRS)
  const counts = new Uint32Array(memory, COUNTS_AT, 2 * STATES * PAIRS)
  const masks = new Uint32Array(memory, MASKS_AT, 2 * STATES * PAIRS)
  const counted = Uint32Array.from(grammar.ACTION, countsOf)
  const since = Uint32Array.from(grammar.ACTION, sinceOf)
  const going = Uint32Array.from(grammar.ACTION, maskOf)
  for (let step = 0; step < STATES * PAIRS; step++) {
    const one = grammar.KINDS * Math.floor(step / PAIRS) + (step % grammar.KINDS)
    const two = grammar.KINDS * (grammar.NEXT[one] as number) + (Math.floor(step / grammar.KINDS) % grammar.KINDS)
    const first = grammar.ACTION[one] as number
    const second = grammar.ACTION[two] as number
    const mask = going[two] as number
    const isRecord = (first & grammar.RECORD) !== 0
    const splits = (first & grammar.SPLIT) + (isRecord ? 0 : second & grammar.SPLIT)
    const splitsBehind = isRecord ? second & grammar.SPLIT : 0
    const flags = (((first | second) / grammar.SAW_LF) & 7) | (splits << 3) | (splitsBehind << 5)
    // Rows of the table have 2 bytes for each pair.
    next[step] = (grammar.NEXT[two] as number) * PAIRS * 2
    counts[2 * step] = (counted[one] as number) + (counted[two] as number)
    counts[2 * step + 1] = ((since[one] as number) & mask) + (since[two] as number) + flags * 2 ** 24
    masks[2 * step] = 0xffffffff
    masks[2 * step + 1] = (going[one] as number) & mask
  }
}

const bit = (action: number, flags: number) => ((action & flags) === 0 ? 0 : 1)

/** The lower four lanes. */
function countsOf(action: number): number {
  const { RECORD, NEW_LINE, STRAY_QUOTE, QUOTED_BREAK } = grammar
  return (
    bit(action, RECORD) |
    (bit(action, NEW_LINE) << 8) |
    (bit(action, STRAY_QUOTE) << 16) |
    (bit(action, QUOTED_BREAK) << 24)
  )
}

/** The next three: empty rows, and lines since the record and the quote began. */
function sinceOf(action: number): number {
  const { EMPTY_ROW, QUOTED_BREAK, NEW_LINE } = grammar
  return bit(action, EMPTY_ROW) | (bit(action, QUOTED_BREAK) << 8) | (bit(action, NEW_LINE) << 16)
}

/** Of those, the lanes that go on. */
function maskOf(action: number): number {
  return 0xff | (bit(action, grammar.OUTSIDE_BREAK) ? 0 : 0xff00) | (bit(action, grammar.OPENING) ? 0 : 0xff0000)
}
