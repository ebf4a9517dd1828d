// biome-ignore-all lint/suspicious/noControlCharactersInRegex: binary files are known by their control characters
/** Recognises what is at times given the name of a CSV file, and is none. */

/** The first bytes (as Latin-1), or a pattern of them, and what a person calls such a file. */
const MAGIC: readonly (readonly [RegExp, string])[] = [
  [/^\x1f\x8b/, 'a gzip file'],
  [/^PK\x03\x04(?=.*(xl\/|\[Content_Types\]\.xml))/s, 'an Excel workbook (XLSX), or another Office file'],
  [/^PK(\x03\x04|\x05\x06|\x07\x08)/, 'a ZIP file, such as an Excel workbook (XLSX)'],
  [/^BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)/, 'a bzip2 file'],
  [/^\xfd7zXZ\0/, 'an xz file'],
  [/^[\x22-\x28]\xb5\x2f\xfd/, 'a Zstandard file'],
  [/^7z\xbc\xaf\x27\x1c/, 'a 7z file'],
  [/^\x04\x22\x4d\x18/, 'an LZ4 file'],
  [/^\xff\x06\0\0sNaPpY/, 'a Snappy file'],
  [/^\x1f[\x9d\xa0]/, 'a compressed file (.Z)'],
  [/^Rar!\x1a\x07/, 'a RAR file'],
  [/^.{257}ustar/s, 'a tar file'],
  // With the first byte of a Thrift structure: a header may well begin with a column "PAR1". PARE is encrypted.
  [/^PAR[1E][\x15\x19]/, 'a Parquet file'],
  // A header may begin with a column "ORC…", but no text holds the control characters of its protocol buffers.
  [/^ORC.{0,64}[\x00-\x08\x0e-\x1f]/s, 'an ORC file'],
  [/^Obj\x01/, 'an Avro file'],
  [/^ARROW1\0/, 'an Arrow (Feather) file'],
  [/^FEA1[\x00-\x08\x0e-\x1f]/, 'a Feather file'],
  [/^\xff\xff\xff\xff[\x00-\xff]{2}\0\0[\x00-\x40]\0\0\0/, 'an Arrow stream'],
  [/^SQLite format 3\0/, 'an SQLite database'],
  [/^\x89HDF\r\n\x1a\n/, 'an HDF5 file'],
  [/^\xd0\xcf\x11\xe0/, 'an old Excel workbook (XLS), or another old Office file'],
  [/^\x09\x08\x10\0\0\x06\x05\0/, 'an old Excel workbook (XLS)'],
  [/^%PDF-/, 'a PDF file'],
  [/^\{\\rtf/, 'an RTF document'],
  [/^\x89PNG\r\n\x1a\n/, 'an image (PNG)'],
  [/^\xff\xd8\xff/, 'an image (JPEG)'],
  [/^GIF8[79]a/, 'an image (GIF)'],
  [/^(II\*\0|MM\0\*)/, 'an image (TIFF)'],
  [/^RIFF....WEBP/s, 'an image (WebP)'],
  [/^BM....\0\0\0\0/s, 'an image (BMP)'],
  [/^\0\0[\x01\x02]\0[\x01-\x20]\0/, 'an image (ICO)'],
  [/^....ftyp/s, 'an image or a film (MP4, HEIC)'],
  // OpenPGP packets (RFC 4880, section 4.2): a session key encrypted to a public key, or by a passphrase.
  [
    /^(\x84[\x40-\xff]|\x85[\x00-\x04][\x00-\xff]|\xc1[\x00-\xff]{1,2})\x03[\x00-\xff]{8}[\x01\x02\x10\x12\x16\x19]/,
    'a file encrypted by PGP',
  ],
  [/^(\x8c[\x0d\x2e]|\xc3[\x0d\x2e])[\x04\x05][\x01-\x0d][\x00-\x03]/, 'a file encrypted by PGP'],
  [/^\x80[\x02-\x05](\x95|[\]}(c])/, 'a pickle of Python'],
  [/^\x93NUMPY/, 'a NumPy array'],
  [/^(RDX[23]|X)\n/, 'an R data file'],
]

/** All patterns in one, since of most files none fits. Those without the flag have no dot. */
const ANY = new RegExp(MAGIC.map(([magic]) => magic.source).join('|'), 's')

/** What kind of binary file begins like this, as a person says it. */
export function sniffBinary(sample: Buffer): string | undefined {
  const head = sample.toString('latin1', 0, 4096)
  if (!ANY.test(head)) return undefined
  return MAGIC.find(([magic]) => magic.test(head))?.[1]
}

const HTML =
  /^<(!doctype\s+html\b|(html|head|body|title|meta|link|script|style|div|span|table|tr|td|thead|tbody|p|pre|h[1-6]|center|iframe|form|svg|br|a)(\s[^<>]*)?\/?>)/i

/** The same of text, decoded and without its byte order mark. `isWhole` says whether it is the whole file. */
export function sniffMarkup(text: string, isWhole: boolean): string | undefined {
  const begin = text.trimStart()
  if (/^version https?:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\//.test(begin)) {
    return 'a Git LFS pointer: the file itself was not fetched (git lfs pull)'
  }
  if (/^[^\n]{0,200}\/annex\/objects\/[^\n]*\n?$/.test(begin)) {
    return 'a git-annex pointer: the file itself was not fetched (git annex get)'
  }
  if (/^-----BEGIN PGP /.test(begin)) return 'a file encrypted or signed by PGP'
  if (/^-----BEGIN [A-Z0-9 ]+-----/.test(begin)) return 'a key or a certificate (PEM)'
  if (/^%!PS/.test(begin)) return 'a PostScript file'
  if (/^BEGIN:V(CARD|CALENDAR)\r?\n/i.test(begin)) return 'a vCard or calendar file'
  if (!begin.startsWith('<')) return sniffJson(begin, isWhole)
  // Comments and declarations may stand before the first tag.
  const markup = begin.replace(/^(<!--.*?-->\s*|<\?xml\b.*?\?>\s*)*/s, '')
  if (HTML.test(markup)) return 'an HTML page'
  const error = /^<(?:Error|ErrorResponse)\b[^>]*>.*?<Code>([^<]{1,60})<\/Code>/s.exec(markup)?.[1]
  if (error !== undefined) return `an error of an S3 server (${error}), saved as XML`
  // A header such as <DATE>,<OPEN> is none.
  if (/^<\?xml\b/.test(begin) || /^<([A-Za-z_][\w.:-]*)(\s[^<>]*)?>.*<\/\1\s*>/s.test(markup)) return 'an XML file'
  if (/^<([A-Za-z_][\w.:-]*)(\s[^<>]*)?>\s*<[A-Za-z_][\w.:-]*(\s[^<>]*)?>[^<,;\t|]*<\//.test(markup))
    return 'an XML file'
  return undefined
}

function sniffJson(begin: string, isWhole: boolean): string | undefined {
  if (!/^[[{]/.test(begin)) return undefined
  if (isWhole && isJson(begin)) return 'a JSON file'
  const lines = begin.split('\n', 4).slice(0, 3)
  const whole = isWhole ? lines : lines.slice(0, begin.split('\n', 4).length - 1)
  if (whole.length > 0 && whole.every(line => line.trim() === '' || isJson(line))) return 'a file of JSON lines'
  // The beginning of a large one, or of one that is cut off.
  if (/^\{\s*"([^"\\]|\\.)*"\s*:\s*(["[{\d-]|true|false|null)/.test(begin)) return 'a JSON file'
  return /^\[\s*(\{\s*("([^"\\]|\\.)*"\s*:|\})|\[\s*(\[|"|-?\d|null))/.test(begin) ? 'a JSON file' : undefined
}

/** Whether `text` is an object or an array. */
function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}
