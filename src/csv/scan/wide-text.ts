/** UTF-16 and UTF-32, made UTF-8 piece by piece. */
import type { CsvEncoding } from './shape'

type WideEncoding = Extract<CsvEncoding, `utf-16${string}` | `utf-32${string}`>

/** What stands for a unit that is no character: it has no meaning in CSV, and is not taken for damage of an earlier time. */
const STAND_IN = 0x3f

/** Stands for a unit that was cut off, and for one of UTF-32 that is no character. */
const HALF_PAIR = 0xd800

declare global {
  /** Every Node that this runs on has it. */
  interface String {
    isWellFormed(): boolean
  }
}

export function isWide(encoding: CsvEncoding): encoding is WideEncoding {
  return encoding.startsWith('utf-16') || encoding.startsWith('utf-32')
}

export class WideDecoder {
  /** Units that are no character, such as half of a surrogate pair, or a character cut off at the end. */
  broken = 0
  private readonly encoding: WideEncoding
  private readonly unit: number
  private rest: Buffer = Buffer.alloc(0)

  constructor(encoding: WideEncoding) {
    this.encoding = encoding
    this.unit = encoding.startsWith('utf-16') ? 2 : 4
  }

  /** The text of the next piece as UTF-8, and where in it the first broken unit of this piece is. */
  decode(bytes: Uint8Array, isLast = false): { readonly text: Buffer; readonly brokenAt: number | undefined } {
    // A copy, which is then changed in place: the caller's bytes are what is uploaded.
    const all = Buffer.concat([this.rest, bytes])
    let whole = all.length - (all.length % this.unit)
    if (this.unit === 2 && !isLast && whole > 0 && isHighSurrogate(this.unitAt(all, whole - 2))) whole -= 2
    this.rest = all.subarray(whole)
    const decoded = this.decodeUnits(all.subarray(0, whole))
    const units =
      isLast && this.rest.length > 0 ? Buffer.concat([decoded, Buffer.of(HALF_PAIR & 0xff, HALF_PAIR >> 8)]) : decoded
    const text = units.toString('utf16le')
    if (text.isWellFormed()) return { text: Buffer.from(text), brokenAt: undefined }
    const brokenAt = Buffer.byteLength(units.toString('utf16le', 0, this.mend(units)))
    return { text: Buffer.from(units.toString('utf16le')), brokenAt }
  }

  private unitAt(bytes: Buffer, at: number): number {
    return this.encoding === 'utf-16le' ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }

  /** Makes UTF-16LE of whole units, in the same memory if it can. */
  private decodeUnits(bytes: Buffer): Buffer {
    if (this.encoding === 'utf-16le') return bytes
    if (this.encoding === 'utf-16be') return bytes.swap16()
    if (this.encoding === 'utf-32be') bytes.swap32()
    const units = Buffer.allocUnsafe(bytes.length)
    let length = 0
    const push = (unit: number) => {
      units[length++] = unit & 0xff
      units[length++] = unit >> 8
    }
    for (let at = 0; at < bytes.length; at += 4) {
      const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
      const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8)
      if (high === 0) push(isSurrogate(bytes, at) ? HALF_PAIR : low)
      else if (high > 0x10) push(HALF_PAIR)
      else {
        push(0xd800 | ((high - 1) << 6) | (low >> 10))
        push(0xdc00 | (low & 0x3ff))
      }
    }
    return units.subarray(0, length)
  }

  /** Counts what is broken and puts the stand-in there. Returns where the first one is. */
  private mend(units: Buffer): number | undefined {
    let first: number | undefined
    for (let at = 0; at < units.length; at += 2) {
      if (!isSurrogate(units, at)) continue
      const isHigh = (units[at + 1] as number) < 0xdc
      if (isHigh && at + 2 < units.length && (units[at + 3] as number) >> 2 === 0x37) at += 2
      else {
        first ??= at
        this.broken++
        units[at] = STAND_IN
        units[at + 1] = 0
      }
    }
    return first
  }
}

/** Whether the unit of UTF-16LE at `at` is half of a pair. */
const isSurrogate = (units: Buffer, at: number) => ((units[at + 1] as number) & 0xf8) === 0xd8
const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00
