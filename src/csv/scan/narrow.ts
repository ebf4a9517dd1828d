/** Delimiters of several bytes, made something that the grammar takes for delimiters of one byte. */
import type { Input } from './skip-common'

/** No byte of UTF-8. What has it in another encoding gets another byte that means nothing in CSV. */
export const NARROW_DELIMITER = 0xff
const OTHER = 0xfe

/**
 * Replaces each byte of `delimiter` in the input: a record has as many times more delimiters as the delimiter has bytes.
 * @returns the bytes of the input that are ready. Those behind them may be the beginning of a delimiter.
 */
export function narrowInput(input: Input, delimiter: Uint8Array): number {
  const { bytes } = input
  for (let at = input.narrow(delimiter); at < bytes.length; ) {
    let matched = 0
    while (matched < delimiter.length && bytes[at + matched] === delimiter[matched]) matched++
    if (matched === delimiter.length) bytes.fill(NARROW_DELIMITER, at, at + matched)
    else if (matched > 0 && at + matched === bytes.length) return at
    else if (bytes[at] === NARROW_DELIMITER) bytes[at] = OTHER
    at += matched === delimiter.length ? matched : 1
  }
  return bytes.length
}
