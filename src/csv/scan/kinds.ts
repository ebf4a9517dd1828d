import { CR, DELIMITER, LF, QUOTE } from './grammar'
import type { CsvDelimiter } from './shape'

/** The kinds (see the grammar) of bytes, by the byte. */
export function listKinds(delimiter: CsvDelimiter): Uint8Array {
  const kinds = new Uint8Array(256)
  kinds[delimiter.charCodeAt(0)] = DELIMITER
  kinds[0x22] = QUOTE
  kinds[0x0a] = LF
  kinds[0x0d] = CR
  return kinds
}
