/** Delimiters of several bytes, made one byte for the grammar. */

/** No byte of UTF-8. What has it in another encoding gets another byte that means nothing in CSV. */
export const NARROW_DELIMITER = 0xff
const OTHER = 0xfe

/** Makes a function that replaces `delimiter` in a text that comes in pieces; without a piece, it gives what is left. */
export function createNarrow(delimiter: Buffer): (bytes?: Uint8Array) => Uint8Array {
  const [first] = delimiter
  let begun = Buffer.alloc(0)
  return bytes => {
    if (bytes === undefined) return begun
    const all = begun.length === 0 ? bytes : Buffer.concat([begun, bytes])
    const narrow = Buffer.allocUnsafe(all.length)
    let length = 0
    let at = 0
    begun = Buffer.alloc(0)
    while (at < all.length) {
      const byte = all[at] as number
      const matched = byte === first ? countMatching(all, at, delimiter) : 0
      if (matched < delimiter.length && matched > 0 && at + matched === all.length) {
        begun = Buffer.from(all.subarray(at))
        break
      }
      const isDelimiter = matched === delimiter.length
      narrow[length++] = isDelimiter ? NARROW_DELIMITER : byte === NARROW_DELIMITER ? OTHER : byte
      at += isDelimiter ? matched : 1
    }
    return narrow.subarray(0, length)
  }
}

function countMatching(bytes: Uint8Array, at: number, text: Buffer): number {
  let count = 1
  while (count < text.length && bytes[at + count] === text[count]) count++
  return count
}
