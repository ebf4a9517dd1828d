import { isAscii, isUtf8 } from 'node:buffer'

const NOTHING = Buffer.alloc(0)
/** So much of a file is looked at from its first broken byte on to tell UTF-8 with faults from another encoding. */
const WINDOW_BYTES = 1024 * 1024
/** So much of it goes to the detector of encodings. */
const EVIDENCE_BYTES = 64 * 1024
/** Bytes before the first broken one that belong to the evidence: the rest of a word. */
const CONTEXT_BYTES = 64
/** Before the first broken byte, more characters would prove no more. */
const CHARACTERS_ENOUGH = 16

/** What is known of a file's bytes as UTF-8. */
export interface Utf8Findings {
  /** Bytes that belong to no character; those of the first MiB behind the first one if the file is not UTF-8 at all. */
  readonly broken: number
  /** Whether most of what is not ASCII is UTF-8 all the same. */
  readonly mostly: boolean
  /** What stands around the first broken byte. */
  readonly evidence: Buffer
}

/** Whether bytes that come in pieces are UTF-8 (RFC 3629), and if not, how far from it they are. */
export class Utf8Check {
  /** The beginning of a character that the next piece goes on with: 3 bytes at most. */
  private rest: Uint8Array = NOTHING
  private broken = 0
  /** Of them, those in the window: only these are compared with its characters. */
  private windowBroken = 0
  /** Whether the only thing wrong is that the file ends within a character. */
  private isCutOff = false
  /** Characters of several bytes: the first few before anything broken, and all in the window behind it. */
  private characters = 0
  /** Bytes of the window that are left; `undefined` before anything is broken. */
  private window: number | undefined
  private context: Buffer = NOTHING
  private readonly evidence: Buffer[] = []
  private evidenceRoom = EVIDENCE_BYTES

  /**
   * Checks the next piece, which is not kept.
   * @returns where the first broken byte of all pieces is, in bytes from the start of this piece: negative if it came in
   *   an earlier one, `undefined` if there is none or it was told before.
   */
  check(bytes: Uint8Array): number | undefined {
    if (this.isHopeless) return undefined
    if (this.window !== undefined) {
      this.takeWindow(bytes)
      return undefined
    }
    const begun = this.rest.length
    const all = begun === 0 ? bytes : Buffer.concat([this.rest, bytes])
    const whole = wholeLength(all)
    const text = all.subarray(0, whole)
    const isPlain = isAscii(text)
    if (isPlain || isUtf8(text)) {
      if (this.characters < CHARACTERS_ENOUGH && !isPlain) this.countFew(text)
      this.keepContext(bytes)
      this.rest = whole === all.length ? NOTHING : Uint8Array.from(all.subarray(whole))
      return undefined
    }
    const at = findInvalid(all)
    if (this.characters < CHARACTERS_ENOUGH) this.countFew(all.subarray(0, at))
    this.keepContext(bytes.subarray(0, Math.max(at - begun, 0)))
    if (at < begun) this.context = this.context.subarray(0, this.context.length - (begun - at))
    this.window = WINDOW_BYTES
    this.rest = NOTHING
    this.addEvidence(this.context)
    this.takeWindow(all.subarray(at))
    return at - begun
  }

  /** Ends the file. Call it once, after the last `check`. Returns where it broke off, if that is the first broken byte. */
  end(): number | undefined {
    const isFirst = this.window === undefined && this.rest.length > 0
    if (!this.isHopeless) this.countBroken(this.rest.length)
    if (isFirst) {
      this.evidence.push(this.context)
      // One byte may be the last letter of another encoding. Two are the beginning of a character.
      this.isCutOff = this.characters > 0 || this.rest.length > 1
    }
    return isFirst ? -this.rest.length : undefined
  }

  get findings(): Utf8Findings {
    return { broken: this.broken, mostly: this.isMostlyUtf8, evidence: Buffer.concat(this.evidence) }
  }

  /** Another encoding by chance has hardly a pair of bytes in ten that are a character of UTF-8. */
  private get isMostlyUtf8(): boolean {
    return this.isCutOff || (this.characters > 0 && this.characters >= this.windowBroken)
  }

  /** Whether the window has shown that this is no UTF-8, so that the rest need not be looked at. */
  private get isHopeless(): boolean {
    return this.window === 0 && this.characters === 0
  }

  private keepContext(bytes: Uint8Array): void {
    const joined = bytes.length < CONTEXT_BYTES ? Buffer.concat([this.context, bytes]) : bytes
    this.context = Buffer.from(joined.subarray(-CONTEXT_BYTES))
  }

  private addEvidence(bytes: Uint8Array): void {
    const taken = Buffer.from(bytes.subarray(0, this.evidenceRoom))
    this.evidenceRoom -= taken.length
    if (taken.length > 0) this.evidence.push(taken)
  }

  /** Behind the first broken byte. `bytes` are new ones: `rest` stands before them. */
  private takeWindow(bytes: Uint8Array): void {
    this.addEvidence(bytes)
    const inWindow = bytes.subarray(0, this.window)
    if (this.window !== undefined && this.window > 0) {
      this.count(inWindow)
      this.window -= inWindow.length
      // What comes behind the window counts only if this is UTF-8, and then its characters prove no more.
      if (this.window === 0 && !this.isMostlyUtf8) this.characters = 0
    }
    const behind = bytes.subarray(inWindow.length)
    if (behind.length > 0 && !this.isHopeless) {
      if (this.rest.length > 0 || !isUtf8(behind)) this.count(behind)
      else this.rest = NOTHING
    }
  }

  private countFew(text: Uint8Array): void {
    for (let i = 0; i < text.length && this.characters < CHARACTERS_ENOUGH; i++) {
      if ((text[i] as number) >= 0xc0) this.characters++
    }
  }

  private countBroken(count: number): void {
    this.broken += count
    if (this.window !== 0) this.windowBroken += count
  }

  private count(bytes: Uint8Array): void {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    let at = 0
    let broken = 0
    let characters = 0
    while (at < all.length) {
      const first = all[at] as number
      if (first < 0x80) {
        at++
        continue
      }
      // The most frequent first: a character of two bytes, and a byte that begins none.
      if (first < 0xe0 && at + 1 < all.length) {
        const isCharacter = first >= 0xc2 && ((all[at + 1] as number) & 0xc0) === 0x80
        if (isCharacter) characters++
        else broken++
        at += isCharacter ? 2 : 1
        continue
      }
      const length = readCharacter(all, at)
      if (length === undefined) break
      if (length === 0) broken++
      else characters++
      at += length === 0 ? 1 : length
    }
    this.countBroken(broken)
    if (this.window !== 0) this.characters += characters
    this.rest = at === all.length ? NOTHING : Uint8Array.from(all.subarray(at))
  }
}

/** The length of the character at `at`; 0 if there is none, `undefined` if the bytes end within it. */
function readCharacter(bytes: Uint8Array, at: number): number | undefined {
  const first = bytes[at] as number
  const length = characterLength(first)
  if (length === 1) return first < 0x80 ? 1 : 0
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    const low = i > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const high = i > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    if (byte < low || byte > high) return 0
  }
  return length
}

/** The length that the first byte of a character announces; 1 for a byte that cannot be the first of several. */
function characterLength(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** How many bytes are left when a character that is cut off at the end is set aside. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const at = bytes.length - back
    const byte = bytes[at] as number
    if (byte < 0x80 || byte >= 0xc0) return readCharacter(bytes, at) === undefined ? at : bytes.length
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
  let at = wholeLength(bytes.subarray(0, valid))
  while (at < bytes.length) {
    const length = readCharacter(bytes, at)
    if (length === 0 || length === undefined) break
    at += length
  }
  return at
}
