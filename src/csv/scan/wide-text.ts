/** UTF-16 and UTF-32, made UTF-8 piece by piece. */
import type { CsvEncoding } from './shape'

type WideEncoding = Extract<CsvEncoding, `utf-16${string}` | `utf-32${string}`>

/** What stands for a unit that is no character: it has no meaning in CSV, and is not taken for damage of an earlier time. */
const STAND_IN = '?'

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
    const all = Buffer.concat([this.rest, bytes])
    let whole = all.length - (all.length % this.unit)
    if (this.unit === 2 && !isLast && whole > 0 && isHighSurrogate(this.unitAt(all, whole - 2))) whole -= 2
    this.rest = all.subarray(whole)
    const decoded = this.unit === 2 ? this.decode16(all.subarray(0, whole)) : this.decode32(all.subarray(0, whole))
    const text = isLast && this.rest.length > 0 ? `${decoded}\ud800` : decoded
    const at = text.search(/\p{Cs}/u)
    if (at === -1) return { text: Buffer.from(text), brokenAt: undefined }
    const mended = text.replace(/\p{Cs}/gu, () => {
      this.broken++
      return STAND_IN
    })
    return { text: Buffer.from(mended), brokenAt: Buffer.byteLength(text.slice(0, at)) }
  }

  private unitAt(bytes: Buffer, at: number): number {
    return this.encoding === 'utf-16le' ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  }

  private decode16(bytes: Buffer): string {
    return (this.encoding === 'utf-16le' ? bytes : Buffer.from(bytes).swap16()).toString('utf16le')
  }

  private decode32(bytes: Buffer): string {
    let text = ''
    for (let at = 0; at < bytes.length; at += 4) {
      const point = this.encoding === 'utf-32le' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
      text += point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? '\ud800' : String.fromCodePoint(point)
    }
    return text
  }
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00
