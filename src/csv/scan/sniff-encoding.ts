import type { CsvEncoding } from './shape'

/** What the first bytes of a file tell about its encoding. Of UTF-8 the rest of the file must still be checked. */
interface EncodingGuess {
  readonly encoding: CsvEncoding
  /** Length of the byte order mark. */
  readonly markBytes: number
}

/** Guesses by the byte order mark, and without one by where the NULs are that UTF-16 has in every ASCII character. */
export function sniffEncoding(sample: Uint8Array): EncodingGuess {
  const [first, second, third] = sample
  if (first === 0xef && second === 0xbb && third === 0xbf) return { encoding: 'utf-8-bom', markBytes: 3 }
  if (first === 0xff && second === 0xfe) return { encoding: 'utf-16le', markBytes: 2 }
  if (first === 0xfe && second === 0xff) return { encoding: 'utf-16be', markBytes: 2 }

  if (!sample.includes(0)) return { encoding: 'utf-8', markBytes: 0 }
  const pairs = sample.length >> 1
  const nuls = [0, 0]
  for (let i = 0; i < pairs * 2; i++) if (sample[i] === 0) nuls[i & 1] = (nuls[i & 1] as number) + 1
  const [even = 0, odd = 0] = nuls
  if (odd * 2 > pairs && even * 20 < odd) return { encoding: 'utf-16le', markBytes: 0 }
  if (even * 2 > pairs && odd * 20 < even) return { encoding: 'utf-16be', markBytes: 0 }
  return { encoding: 'utf-8', markBytes: 0 }
}
