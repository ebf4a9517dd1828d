/** Learns what a CSV file looks like while its bytes pass by. */
import { isUtf8 } from 'node:buffer'
import { type Known, listCsvFaults, listCsvNotes } from './findings'
import { HeaderSearch } from './header-search'
import { nameEncoding } from './name-encoding'
import { NARROW_DELIMITER } from './narrow'
import type { CsvEncoding, CsvShape } from './shape'
import { type DialectGuess, sniffDialect } from './sniff-dialect'
import { sniffEncoding } from './sniff-encoding'
import { sniffBinary, sniffMarkup } from './sniff-format'
import { sniffHeader } from './sniff-header'
import { type Manner, TextScan } from './text'
import { Utf8Check } from './utf8'
import { isWide, WideDecoder } from './wide-text'

export type { CsvFault, CsvShape } from './shape'

/** Learns the shape of a CSV file in constant memory, whatever the file. */
interface CsvScanner {
  /** Reads on. Pieces may have any size, and are not kept: the caller may reuse the buffer at once. */
  update(chunk: Uint8Array): void
  /** Ends the file. Call it once, after the last `update`. */
  end(): CsvShape
}

/** Encoding, delimiter and header are guessed by this much of the beginning. */
const SAMPLE_BYTES = 64 * 1024
/** A longer header is not searched for further down. */
const MOST_HEADER_BYTES = 4096
/** Stands for the delimiter of a file that has none: it stands in no text. */
const NO_DELIMITER = 0x1f

/** Buffers whose sample was read: one for each of many small files would be much garbage. */
const spares: Buffer[] = []

/** Makes a scanner for one file. It never throws, whatever the bytes are. */
export function createCsvScanner(): CsvScanner {
  // Taken at the first byte, since not every scanner is used.
  let sample: Buffer | undefined
  let length = 0
  let reader: CsvScanner | undefined

  const start = (isWhole: boolean) => {
    const started = startReader(sample?.subarray(0, length) ?? Buffer.alloc(0), isWhole)
    // It keeps nothing of the sample.
    if (sample !== undefined) spares.push(sample)
    return started
  }
  return {
    update(chunk) {
      if (reader !== undefined) return reader.update(chunk)
      sample ??= spares.pop() ?? Buffer.allocUnsafeSlow(SAMPLE_BYTES)
      const taken = chunk.subarray(0, SAMPLE_BYTES - length)
      sample.set(taken, length)
      length += taken.length
      if (length < SAMPLE_BYTES) return
      reader = start(false)
      if (taken.length < chunk.length) reader.update(chunk.subarray(taken.length))
    },
    end() {
      reader ??= start(true)
      return reader.end()
    },
  }
}

/** Makes what reads the file, now that its beginning is known: `isWhole` if that is all there is. */
function startReader(sample: Buffer, isWhole: boolean): CsvScanner {
  const binary = sniffBinary(sample)
  if (binary !== undefined) return refuse(binary, 'binary')

  const { encoding, markBytes } = sniffEncoding(sample)
  const decoder = isWide(encoding) ? new WideDecoder(encoding) : undefined
  const bytes = sample.subarray(markBytes)
  const { text: head, brokenAt } = decoder?.decode(bytes) ?? { text: bytes, brokenAt: undefined }
  const headEncoding = isMostlyUtf8(head) ? 'utf8' : 'latin1'
  const begin = head.toString(headEncoding).replace(/^\ufeff+/, '')
  const markup = sniffMarkup(begin, isWhole)
  if (markup !== undefined) return refuse(markup, headEncoding === 'utf8' ? encoding : 'unknown-8bit')

  // What ends the file is no record.
  const guess = sniffDialect(isWhole ? dropCtrlZs(begin) : begin, isWhole)
  const header = sniffHeader(guess.records, guess.above)
  const manner = chooseManner(guess, header.isHeader, begin, head, headEncoding)
  const text = new TextScan(manner, decoder === undefined, markBytes)
  text.scan(head, brokenAt)

  return {
    update(chunk) {
      const decoded = decoder?.decode(chunk)
      if (decoded === undefined) text.scan(chunk)
      else text.scan(decoded.text, decoded.brokenAt)
    },
    end() {
      const last = decoder?.decode(new Uint8Array(0), true)
      if (last !== undefined) text.scan(last.text, last.brokenAt)
      const found = text.end()
      const isBlank = found.isBlank || found.isAllNuls
      const known: Known = {
        found,
        encoding: nameWhole(encoding, found.broken),
        names: header.isHeader ? guess.records[guess.above]?.fields : undefined,
        isSureHeader: header.isSure,
        escapes: guess.escapes,
        above: guess.above > 0 ? describeAbove(guess, begin) : undefined,
        brokenUnits: decoder?.broken ?? 0,
        hasMark: markBytes > 0,
      }
      const { counts } = found
      const [lineEnd = 'none', another] = counts.lineEnds
      const isHeader = header.isHeader && !isBlank && counts.records > 0
      return {
        encoding: known.encoding,
        delimiter: counts.isOneColumn || isBlank ? null : guess.delimiter,
        lineEnd: another === undefined ? lineEnd : 'mixed',
        header: isHeader,
        columns: counts.columns,
        rows: counts.records - (isHeader ? 1 : 0),
        faults: listCsvFaults(known),
        notes: listCsvNotes(known),
      }
    },
  }
}

function refuse(kind: string, encoding: CsvEncoding): CsvScanner {
  const faults = [{ code: 'not_csv', message: `Not CSV at all: this is ${kind}.` }] as const
  return {
    update() {},
    end: () => ({ encoding, delimiter: null, lineEnd: 'none', header: false, columns: 0, rows: 0, faults, notes: [] }),
  }
}

/** Whether the beginning of a text may be read as UTF-8, though a few bytes in it may be broken. */
function isMostlyUtf8(head: Buffer): boolean {
  if (isUtf8(head)) return true
  const check = new Utf8Check()
  return check.check(head) === undefined || check.findings.mostly
}

/** The record that stands first, above the header, and its line: blank ones may stand before it. */
function describeAbove({ records, delimiter }: DialectGuess, begin: string): { text: string; line: number } {
  const fields = records[0]?.fields ?? []
  const filled = fields.findLastIndex(field => field.trim() !== '') + 1
  const [blank = ''] = /^[\r\n]*/.exec(begin) ?? []
  const isSep = /^sep=/i.test(fields[0] ?? '')
  const text = isSep
    ? fields.join(delimiter ?? ',')
    : fields
        .slice(0, filled)
        .join(delimiter ?? ',')
        .trim()
  return { text, line: 1 + (blank.match(/\r\n?|\n/g)?.length ?? 0) }
}

function dropCtrlZs(text: string): string {
  let end = text.length
  while (text[end - 1] === '\x1a') end--
  return text.slice(0, end)
}

/** How the whole is to be read, by what its beginning showed. */
function chooseManner(
  { delimiter, escapes, above, records }: DialectGuess,
  isHeader: boolean,
  begin: string,
  head: Buffer,
  encoding: 'utf8' | 'latin1',
): Manner {
  const bytes = delimiter === null ? Buffer.of(NO_DELIMITER) : Buffer.from(delimiter, encoding)
  const isNarrow = bytes.length === 1
  const header = records[above]?.raw ?? []
  const text = header.join(delimiter ?? ',')
  const headerBytes = Buffer.from(text, encoding)
  const isSearched = isHeader && header.length > 1 && records.length > 1 && headerBytes.length <= MOST_HEADER_BYTES
  return {
    dialect: { delimiter: isNarrow ? (bytes[0] as number) : NARROW_DELIMITER, escapes },
    above,
    longDelimiter: isNarrow ? undefined : bytes,
    repeats: isSearched ? new HeaderSearch(headerBytes, head, begin.startsWith(text) ? 0 : 1) : undefined,
  }
}

/** The encoding, when the whole file was read. */
function nameWhole(
  encoding: CsvEncoding,
  broken: { readonly mostly: boolean; readonly evidence: Buffer } | undefined,
): CsvEncoding {
  if (broken === undefined || broken.mostly) return encoding
  return nameEncoding(broken.evidence)
}
