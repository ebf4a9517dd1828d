import { isUtf8 } from 'node:buffer'

/** Whether bytes that come in pieces are UTF-8 (RFC 3629). */
export class Utf8Check {
  /** The beginning of a character that the next piece goes on with: 3 bytes at most. */
  private rest: Uint8Array = new Uint8Array(0)

  /**
   * Checks the next piece, which is not kept.
   * @returns where the first invalid character begins, in bytes from the start of this piece: negative if it begins
   *   in an earlier one, `undefined` if there is none. After the first one there is nothing more to check.
   */
  check(bytes: Uint8Array): number | undefined {
    let from = 0
    if (this.rest.length > 0) {
      const begun = this.rest.length
      from = Math.min(characterLength(this.rest[0] as number) - begun, bytes.length)
      const joined = Buffer.concat([this.rest, bytes.subarray(0, from)])
      if (!isUtf8(joined.subarray(0, wholeLength(joined)))) return -begun
      this.rest = joined.subarray(wholeLength(joined))
      if (this.rest.length > 0) return undefined
    }
    const fresh = bytes.subarray(from)
    const whole = wholeLength(fresh)
    if (!isUtf8(fresh.subarray(0, whole))) return from + findInvalid(fresh)
    this.rest = Uint8Array.from(fresh.subarray(whole))
    return undefined
  }

  /** How many bytes of a character that never ended came last. */
  get unfinished(): number {
    return this.rest.length
  }
}

/** The length that the first byte of a character announces; 1 for a byte that cannot be the first of several. */
function characterLength(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** How many bytes are left when a character that is cut off at the end is set aside. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    const isContinuation = byte >= 0x80 && byte < 0xc0
    if (!isContinuation) return characterLength(byte) > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** Where the first invalid character begins. Halving leaves the work to the native check. */
function findInvalid(bytes: Uint8Array): number {
  let valid = 0
  let invalid = bytes.length
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1
    if (isUtf8(bytes.subarray(0, wholeLength(bytes.subarray(0, middle))))) valid = middle
    else invalid = middle
  }
  return wholeLength(bytes.subarray(0, valid))
}
