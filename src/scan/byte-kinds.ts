import { endianness } from 'node:os'
import { CR, DELIMITER, KINDS, LF, QUOTE } from './csv-grammar'
import { type CsvDelimiter, DELIMITERS } from './csv-shape'

/** The kinds (see the grammar) of bytes, by the byte. */
export function listKinds(delimiter: CsvDelimiter): Uint8Array {
  const kinds = new Uint8Array(256)
  kinds[delimiter.charCodeAt(0)] = DELIMITER
  kinds[0x22] = QUOTE
  kinds[0x0a] = LF
  kinds[0x0d] = CR
  return kinds
}

const PAIRS = 1 << 16

/**
 * The kinds of two bytes as digits to the base `KINDS`, first byte lowest; by those bytes as one number in the byte
 * order of this machine, and where `placePairs` says. One constant array for all delimiters, as V8 reads a constant
 * one faster than one per scanner.
 */
export const PAIR_KINDS = new Uint8Array(DELIMITERS.length * PAIRS)

const placed = new Set<number>()

/** Where the kinds begin in `PAIR_KINDS`: at a multiple of 65,536. */
export function placePairs(delimiter: CsvDelimiter): number {
  const place = DELIMITERS.indexOf(delimiter) * PAIRS
  if (placed.has(place)) return place
  placed.add(place)
  const kinds = listKinds(delimiter)
  const lowerIsFirst = endianness() === 'LE'
  for (let pair = 0; pair < PAIRS; pair++) {
    const lower = kinds[pair & 0xff] as number
    const upper = kinds[pair >> 8] as number
    PAIR_KINDS[place + pair] = lowerIsFirst ? lower + upper * KINDS : upper + lower * KINDS
  }
  return place
}
