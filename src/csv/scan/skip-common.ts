/**
 * The hot loop over CSV text, in WebAssembly with SIMD: it looks at 64 bytes at once, several times as fast as a loop in
 * JavaScript. Its source is skip-common.wat, of which `npm run assemble` makes skip-common.wasm.ts.
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
      skip(at: number, end: number, delimiter: number, expected: number): number
    }
  }
}

/** Bytes that are looked at together. */
export const BLOCK_BYTES = 64

/** The input begins behind the numbers that the loop reads and writes. */
const INPUT_AT = 64
/** Room for input in the memory that the source asks for. */
const MOST_INPUT_BYTES = 512 * 1024

/** How far reading has come between two bytes. */
export interface Reading {
  /** Of the grammar. */
  state: number
  /** Records that have ended. */
  rows: number
  /** Delimiters of the record that is being read. */
  splits: number
  /** What the grammar says of the line breaks so far. */
  seen: number
}

/** Text that was put where the loop can reach it. */
interface Input {
  /** All of it that there was room for. */
  readonly length: number
  /**
   * Reads on from the byte `from`, block by block, as long as every record has `expected` delimiters and the grammar
   * has nothing to mark.
   * @returns the byte it stopped at.
   */
  skip(from: number, delimiter: number, expected: number, reading: Reading): number
}

/** One for the whole process: it keeps nothing from one piece of text to the next. `undefined` before its first use. */
let load: ((bytes: Uint8Array) => Input) | undefined

/** Puts as much of `bytes` where the loop can reach it as there is room for, until the next call. */
export function loadInput(bytes: Uint8Array): Input {
  load ??= startLoop()
  return load(bytes)
}

function startLoop(): (bytes: Uint8Array) => Input {
  const binary = Buffer.from(SKIP_COMMON, 'base64')
  // A processor without SIMD: byte by byte it comes to the same.
  if (!WebAssembly.validate(binary)) return ({ length }) => ({ length, skip: from => from })
  const { memory, skip } = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports
  const input = new Uint8Array(memory.buffer, INPUT_AT, MOST_INPUT_BYTES)
  const numbers = new Int32Array(memory.buffer, 0, 4)
  return bytes => {
    const length = Math.min(bytes.length, MOST_INPUT_BYTES)
    input.set(length < bytes.length ? bytes.subarray(0, length) : bytes)
    return {
      length,
      skip: (from, delimiter, expected, reading) => {
        const blocks = length - from - ((length - from) % BLOCK_BYTES)
        if (blocks === 0 || reading.state === grammar.STRAY || reading.state === grammar.QUOTED_CR) return from
        numbers[0] = reading.state
        numbers[1] = 0
        numbers[2] = reading.splits
        const at = skip(INPUT_AT + from, INPUT_AT + from + blocks, delimiter, expected) - INPUT_AT
        const [state = 0, rows = 0, splits = 0, seen = 0] = numbers
        reading.state = state
        reading.rows += rows
        reading.splits = splits
        reading.seen |= seen
        return at
      },
    }
  }
}
