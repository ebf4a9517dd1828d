import type { CsvEncoding } from './shape'

/** What the first bytes of a file tell about its encoding. Of UTF-8 the rest of the file must still be checked. */
interface EncodingGuess {
  readonly encoding: Extract<CsvEncoding, `utf-${string}`>
  /** Length of the byte order mark. */
  readonly markBytes: number
}

const MARKS: readonly (readonly [string, EncodingGuess['encoding']])[] = [
  // Before UTF-16, whose mark it begins with.
  ['\xff\xfe\0\0', 'utf-32le'],
  ['\0\0\xfe\xff', 'utf-32be'],
  ['\xef\xbb\xbf', 'utf-8-bom'],
  ['\xff\xfe', 'utf-16le'],
  ['\xfe\xff', 'utf-16be'],
]

/** Guesses by the byte order mark, and without one by the NULs in characters of two or four bytes. */
export function sniffEncoding(sample: Buffer): EncodingGuess {
  const head = sample.toString('latin1', 0, 4)
  for (const [mark, encoding] of MARKS) if (head.startsWith(mark)) return { encoding, markBytes: mark.length }
  const wide = sample.includes(0) ? sniffWide(sample) : undefined
  return { encoding: wide ?? 'utf-8', markBytes: 0 }
}

function sniffWide(bytes: Buffer): EncodingGuess['encoding'] | undefined {
  const nuls = [0, 0, 0, 0]
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) nuls[i & 3] = (nuls[i & 3] as number) + 1
  const [first = 0, second = 0, third = 0, fourth = 0] = nuls
  const fours = bytes.length >> 2
  const isFew = (count: number) => count * 20 < fours
  if (fours > 1 && fourth === fours && third * 10 > fours * 9 && isFew(first)) return 'utf-32le'
  if (fours > 1 && first >= fours && second * 10 > fours * 9 && isFew(fourth)) return 'utf-32be'

  const pairs = bytes.length >> 1
  const even = first + third
  const odd = second + fourth
  const isLike = (nuls: number, others: number, name: 'utf-16le' | 'utf-16be') =>
    (others * 20 < nuls && nuls * 2 > pairs) || (others * 2 < nuls && areLinesWide(bytes, name))
  if (isLike(odd, even, 'utf-16le')) return 'utf-16le'
  if (isLike(even, odd, 'utf-16be')) return 'utf-16be'
  return undefined
}

/** Whether nearly all bytes that could be a line feed are one in UTF-16: few of its letters have a NUL outside of ASCII. */
function areLinesWide(bytes: Buffer, encoding: 'utf-16le' | 'utf-16be'): boolean {
  let breaks = 0
  let wide = 0
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    breaks++
    const isWide = encoding === 'utf-16le' ? at % 2 === 0 && bytes[at + 1] === 0 : at % 2 === 1 && bytes[at - 1] === 0
    if (isWide) wide++
  }
  return wide > 0 && wide * 4 >= breaks * 3
}
