/** Bytes that show that a text was damaged before it came here, or that readers take for something else. */

import type { Input } from './skip-common'

/** In the order in which skip-common.wat counts them. */
export const SUSPECTS = ['nul', 'backslash', 'replacement', 'mark', 'mojibake'] as const
export type SuspectKind = (typeof SUSPECTS)[number]

const NUL = 0x00
const BACKSLASH = 0x5c
const QUOTE = 0x22
const REPLACEMENT = Buffer.from('\ufffd')
const MARK = Buffer.from('\ufeff')
/** "â€", which curly quotes and dashes become. */
const DASHES = Buffer.from('â€')
const LONGEST = 5
const NOTHING = Buffer.alloc(0)

/** Counts NULs, backslashes before a quote, and damaged characters in UTF-8, wherever the pieces are cut. */
export class SuspectSearch {
  readonly counts: Record<SuspectKind, number> = { nul: 0, backslash: 0, replacement: 0, mark: 0, mojibake: 0 }
  private tail: Buffer = NOTHING

  /**
   * Goes on with `bytes`.
   * @param count counts most of them, as in skip-common.ts.
   * @returns where in them each kind is first: negative if it began in an earlier piece.
   */
  scan(bytes: Buffer, count: Input['countSuspects']): Partial<Record<SuspectKind, number>> {
    const firsts: Partial<Record<SuspectKind, number>> = {}
    const note = (kind: SuspectKind, at: number) => {
      firsts[kind] ??= at
      this.counts[kind]++
    }
    const { tail } = this
    const joined = tail.length === 0 ? NOTHING : Buffer.concat([tail, bytes.subarray(0, LONGEST - 1)])
    for (let at = 0; at < tail.length; at++) {
      const kind = kindAt(joined, at)
      // One that is whole within the tail was counted with the piece before.
      if (kind !== undefined && at + lengthOf(kind, joined, at) > tail.length) note(kind, at - tail.length)
    }
    const counted = count((index, many, at) => {
      const kind = SUSPECTS[index] as SuspectKind
      firsts[kind] ??= at
      this.counts[kind] += many
    })
    for (let at = counted; at < bytes.length; at++) {
      const kind = kindAt(bytes, at)
      if (kind !== undefined) note(kind, at)
    }
    this.tail = cutTail(bytes.length < LONGEST - 1 ? Buffer.concat([tail, bytes]) : bytes)
    return firsts
  }
}

/** A copy of the last bytes, from the first one that may begin a suspect which the next piece ends. Mostly there is none. */
function cutTail(bytes: Buffer): Buffer {
  for (let at = Math.max(bytes.length - LONGEST + 1, 0); at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === BACKSLASH || byte === 0xef || byte === 0xc3) return Buffer.from(bytes.subarray(at))
  }
  return NOTHING
}

function kindAt(bytes: Buffer, at: number): SuspectKind | undefined {
  const first = bytes[at]
  if (first === NUL) return 'nul'
  if (first === BACKSLASH) return bytes[at + 1] === QUOTE ? 'backslash' : undefined
  if (first === 0xef) {
    if (startsAt(bytes, at, REPLACEMENT)) return 'replacement'
    return startsAt(bytes, at, MARK) ? 'mark' : undefined
  }
  if (first !== 0xc3) return undefined
  return isLetterOfMojibake(bytes[at + 1], bytes[at + 2]) || startsAt(bytes, at, DASHES) ? 'mojibake' : undefined
}

/**
 * UTF-8 read as Windows-1252 and written as UTF-8 again: its first bytes become Â, Ã, Ð or Ñ, and the next one is a sign of
 * Latin-1 or a letter that no word has behind these.
 */
function isLetterOfMojibake(second: number | undefined, third: number | undefined): boolean {
  if (second === 0x82 || second === 0x90 || second === 0x91) return third === 0xc2
  return second === 0x83 && (third === 0xc2 || third === 0xc5 || third === 0xc6)
}

function startsAt(bytes: Buffer, at: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

function lengthOf(kind: SuspectKind, bytes: Buffer, at: number): number {
  if (kind === 'nul') return 1
  if (kind === 'backslash') return 2
  return kind === 'mojibake' && startsAt(bytes, at, DASHES) ? DASHES.length : 3
}
