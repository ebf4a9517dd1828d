/** Names the encoding of text that is not UTF-8, if it is sure. */
import type { CsvEncoding, LegacyEncoding } from './shape'

/** What the detector calls them, in lower case, without what only its sources tell apart. */
const NAMES: Readonly<Record<string, LegacyEncoding>> = {
  ...{ gb18030: 'gbk', gb2312: 'gbk', gbk: 'gbk', big5: 'big5', big5hkscs: 'big5', 'euc-jp': 'euc-jp' },
  ...{ cp932: 'shift_jis', shift_jis: 'shift_jis', 'shift-jis': 'shift_jis', 'shift_jis-2004': 'shift_jis' },
  ...{ 'euc-kr': 'euc-kr', cp949: 'euc-kr', uhc: 'euc-kr' },
  ...{
    'windows-1250': 'windows-1250',
    'iso-8859-2': 'windows-1250',
    'windows-1251': 'windows-1251',
    'windows-1252': 'windows-1252',
  },
  ...{ 'windows-1253': 'windows-1253', 'windows-1254': 'windows-1254', 'windows-1255': 'windows-1255' },
  ...{ 'windows-1256': 'windows-1256', 'koi8-r': 'koi8-r', 'koi8-u': 'koi8-r', 'koi8-t': 'koi8-r' },
  ...{ 'iso-8859-1': 'windows-1252', macroman: 'macintosh', maciceland: 'macintosh' },
  // In what text uses of them they are the same, unless a byte below 0xa0 tells them apart.
  ...{ 'iso-8859-7': 'windows-1253', 'iso-8859-9': 'windows-1254', 'iso-8859-8': 'windows-1255' },
  ...{ maccyrillic: 'windows-1251', kz1048: 'windows-1251' },
}
/** Of EBCDIC, in which a comma is not a comma. */
const EBCDIC = /^(cp(037|273|424|500|875|1026|1140))$/

const SCRIPTS: Readonly<Partial<Record<LegacyEncoding, RegExp>>> = {
  gbk: /^[\p{Script=Han}\u3000-\u303f\uff00-\uffef\p{P}\p{S}]+$/u,
  big5: /^[\p{Script=Han}\u3000-\u303f\uff00-\uffef\p{P}\p{S}]+$/u,
  shift_jis: /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u30ff\uff00-\uffef\p{P}\p{S}]+$/u,
  'euc-jp': /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u30ff\uff00-\uffef\p{P}\p{S}]+$/u,
  'euc-kr': /^[\p{Script=Hangul}\p{Script=Han}\u3000-\u303f\uff00-\uffef\p{P}\p{S}]+$/u,
  'windows-1251': /^[\p{Script=Cyrillic}\p{P}\p{S}\u00a0]+$/u,
  'koi8-r': /^[\p{Script=Cyrillic}\p{P}\p{S}\u00a0]+$/u,
  'windows-1253': /^[\p{Script=Greek}\p{P}\p{S}\u00a0]+$/u,
  'windows-1255': /^[\p{Script=Hebrew}\p{P}\p{S}\u00a0]+$/u,
  'windows-1256': /^[\p{Script=Arabic}\p{P}\p{S}\u00a0]+$/u,
}
const WIDE = ['gbk', 'big5', 'shift_jis', 'euc-jp', 'euc-kr']

/** Characters, letters of another script or of two bytes, below which a guess is worth nothing. */
const ENOUGH_LETTERS = 4

/** @param evidence the text around the first byte that is not UTF-8. */
export function nameEncoding(evidence: Buffer): CsvEncoding {
  const ranked = rank(evidence)
  const [first, second] = ranked
  if (first !== undefined && first.name !== undefined && SCRIPTS[first.name] !== undefined) {
    const isClear = second === undefined || first.confidence >= second.confidence * 1.5
    const isLike = isScript(evidence, first.name)
    if (isLike && (isClear || !isScript(evidence, second.name))) return first.name
    if (isLike || !isWestern(evidence)) return 'unknown-8bit'
  }
  const isEnough = countHigh(evidence) >= ENOUGH_LETTERS * 2
  if (first?.name === 'windows-1250' && isEnough) return nameCentralEuropean(evidence)
  if (isWestern(evidence)) return first?.name === 'windows-1254' && isEnough ? first.name : 'windows-1252'
  // In a short text it is hardly told from the Macintosh's table for Central Europe.
  const mac = ranked.find(({ name }) => name === 'macintosh')
  const isMac = mac !== undefined && mac.confidence >= (first?.confidence ?? 0) * 0.9
  return isMac && isScript(evidence, 'macintosh') ? 'macintosh' : 'unknown-8bit'
}

/** Windows-1250 and ISO 8859-2 share most letters. Only one has some below 0xa0, and signs where the other has letters. */
function nameCentralEuropean(evidence: Buffer): CsvEncoding {
  const text = evidence.toString('latin1')
  if (/[\x80-\x9f]/.test(text)) return 'windows-1250'
  if (/[A-Za-z\xc0-\xff][\xa1\xa6\xa9\xac\xae\xb1\xb6]|[\xa1\xa6\xa9\xac\xae\xb1\xb6][A-Za-z\xc0-\xff]/.test(text))
    return 'iso-8859-2'
  return /[\xb9\xbc\xbe]/.test(text) ? 'unknown-8bit' : 'windows-1250'
}

interface Ranked {
  readonly name: LegacyEncoding | undefined
  readonly confidence: number
}

/** The detector's guesses, the best first, those of one family once. */
function rank(evidence: Buffer): Ranked[] {
  // jschardet takes a quarter of a second to start, and files that are not UTF-8 are few.
  const { detectAll } = require('jschardet') as typeof import('jschardet')
  const seen = new Set<string>()
  return detectAll(evidence)
    .filter(({ encoding }) => encoding !== null && !EBCDIC.test(encoding.toLowerCase()))
    .map(({ encoding, confidence }) => ({ encoding: encoding?.toLowerCase() ?? '', confidence }))
    .filter(({ encoding }) => {
      const family = NAMES[encoding] ?? encoding
      const isNew = !seen.has(family)
      seen.add(family)
      return isNew
    })
    .map(({ encoding, confidence }) => ({ name: NAMES[encoding], confidence }))
}

/** Whether all that is not ASCII is in the script of this encoding, and whether it is enough to tell. */
function isScript(evidence: Buffer, name: LegacyEncoding | undefined): boolean {
  if (name === undefined) return false
  const script = SCRIPTS[name] ?? /^[\p{Script=Latin}\p{P}\p{S}\u00a0]+$/u
  const text = decode(evidence, name)
  const others = text?.replace(/\p{ASCII}+/gu, '') ?? ''
  const letters = others.match(/\p{L}/gu)?.length ?? 0
  if (letters < (name === 'macintosh' ? 1 : ENOUGH_LETTERS) || !script.test(others)) return false
  // Letters of two bytes that are kana: Japanese, which the table of Chinese holds as well.
  return name !== 'gbk' || (others.match(/[\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0) * 20 < letters
}

/** The text, without a character that may be cut off at the end; `undefined` if it is not of this encoding. */
function decode(evidence: Buffer, name: LegacyEncoding): string | undefined {
  const ends = WIDE.includes(name) ? [0, 1] : [0]
  for (const cut of ends) {
    try {
      return new TextDecoder(name, { fatal: true }).decode(evidence.subarray(0, evidence.length - cut))
    } catch {
      // Tried again without the last byte.
    }
  }
  return undefined
}

const countHigh = (bytes: Buffer) => bytes.reduce((count, byte) => (byte < 0x80 ? count : count + 1), 0)

/** Bytes that Windows-1252 does not have. */
const UNDEFINED = '\x81\x8d\x8f\x90\x9d'
/** What stands within words besides letters: apostrophes, middle dots, ordinals, soft hyphens. */
const WITHIN_WORDS = '\x91\x92\xa0\xad\xb4\xb7\xaa\xba\xb0\x96\x97\x85'

/**
 * Whether the bytes make sense as Windows-1252: text in ASCII with some letters and signs in between. Against it are bytes
 * it does not have, signs within words, capitals behind small letters, and words without a letter of ASCII.
 */
function isWestern(evidence: Buffer): boolean {
  const text = evidence.toString('latin1')
  if ([...UNDEFINED].some(byte => text.includes(byte))) return false
  const high = countHigh(evidence)
  const inWords = [...text.matchAll(/[A-Za-z\xc0-\xff]([\x80-\xbf])(?=[A-Za-z\xc0-\xff])/g)]
  const odd = inWords.filter(([, byte = '']) => !`${WITHIN_WORDS}\x8a\x8c\x8e\x9a\x9c\x9e\x9f`.includes(byte)).length
  const capitals = [...text.matchAll(/[a-z\xdf-\xff][\x8a\x8c\x8e\x9f\xc0-\xd6\xd8-\xde](?![A-Z])/g)].length
  const runs = [...text.matchAll(/[\xc0-\xff\x80-\xbf]{4,}/g)].reduce((sum, [run]) => sum + run.length, 0)
  return (odd + capitals) * 8 <= high && runs * 3 <= high
}
