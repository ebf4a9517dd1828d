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
      find(at: number, end: number): number
    }
  }
}

/** Bytes that are looked at together. */
export const BLOCK_BYTES = 64
/** In the set of wanted actions: records of another length. It is no action of the grammar. */
export const RAGGED = 1 << 10

const KINDS_AT = 256
const NEXT_AT = 512
const STEPS_AT = 768
const INPUT_AT = 2048
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
  /** Every action of the grammar so far. */
  seen: number
}

/** Text that was put where the loop can reach it. */
export interface Input {
  /** All of it that there was room for. */
  readonly length: number
  /**
   * Reads on from the byte `from`, in whole blocks, and stops in front of a block that does something `wanted`.
   * @param expected delimiters of a record
   * @returns the byte it stopped at.
   */
  scan(from: number, expected: number, wanted: number, reading: Reading): number
  /** From `from` on, the first byte that may begin one of the characters of suspects.ts; `length` if there is none. */
  findSuspect(from: number): number
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
    return ({ length }) => ({ length, scan: from => from, findSuspect: from => from })
  }
  const { memory, scan, find } = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports
  const input = new Uint8Array(memory.buffer, INPUT_AT, MOST_INPUT_BYTES)
  const numbers = new Int32Array(memory.buffer, 0, KINDS_AT / 4)
  const kinds = new Uint8Array(memory.buffer, KINDS_AT, 256)
  numbers.set(
    [
      ...[grammar.START, grammar.VOID, grammar.FIELD, grammar.PLAIN, grammar.QUOTED, grammar.CLOSED],
      ...[grammar.VOID_QUOTED, grammar.VOID_CLOSED, grammar.AFTER_CR],
    ],
    16,
  )
  // Rows of the table are 16 bytes, its columns 2.
  new Uint16Array(memory.buffer, NEXT_AT, grammar.NEXT.length).set(grammar.NEXT.map(next => next * grammar.KINDS * 2))
  new BigUint64Array(memory.buffer, STEPS_AT, grammar.ACTION.length).set(listCounts())
  let kindsNow: Uint8Array | undefined

  return (bytes, dialect) => {
    const length = Math.min(bytes.length, MOST_INPUT_BYTES)
    input.set(length < bytes.length ? bytes.subarray(0, length) : bytes)
    const dialectKinds = grammar.listKinds(dialect)
    if (dialectKinds !== kindsNow) {
      kindsNow = dialectKinds
      kinds.set(dialectKinds.map(kind => kind * 2))
      numbers[13] = dialect.delimiter
      numbers[14] = dialect.escapes ? 0 : 1
    }
    return {
      length,
      scan: (from, expected, wanted, reading) => {
        const blocks = length - from - ((length - from) % BLOCK_BYTES)
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
      findSuspect: from =>
        from >= length ? length : Math.min(find(INPUT_AT + from, INPUT_AT + length) - INPUT_AT, length),
    }
  }
}

/** What each step of the grammar counts, in lanes of 8 bits, and above them its actions: see the source. */
function listCounts(): BigUint64Array {
  const lanes = [grammar.RECORD, grammar.NEW_LINE, grammar.STRAY_QUOTE, grammar.QUOTED_BREAK, grammar.EMPTY_ROW]
  return BigUint64Array.from(grammar.ACTION, action => {
    const counts = lanes.map((flag, lane) => ((action & flag) === 0 ? 0n : 1n << BigInt(8 * lane)))
    return counts.reduce((sum, count) => sum | count, BigInt(action) << 40n)
  })
}
