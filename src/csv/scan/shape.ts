/** What a file looks like as CSV: the face of this folder, together with scan-csv.ts. */

/** Names of the WHATWG Encoding Standard; `unknown-8bit` (RFC 1428) if nothing is sure, `binary` if it is no text. */
export type CsvEncoding =
  | 'utf-8'
  | 'utf-8-bom'
  | 'utf-16le'
  | 'utf-16be'
  | 'utf-32le'
  | 'utf-32be'
  | LegacyEncoding
  | 'unknown-8bit'
  | 'binary'

export type LegacyEncoding =
  | 'windows-1250'
  | 'windows-1251'
  | 'windows-1252'
  | 'windows-1253'
  | 'windows-1254'
  | 'windows-1255'
  | 'windows-1256'
  | 'iso-8859-2'
  | 'koi8-r'
  | 'macintosh'
  | 'shift_jis'
  | 'euc-jp'
  | 'gbk'
  | 'big5'
  | 'euc-kr'

/** What makes a reader misread the file, for programs: stable names, part of the JSON output. See docs/csv.md. */
export type CsvFaultCode =
  | 'empty'
  | 'not_csv'
  | 'header_only'
  | 'title_above_header'
  | 'excel_sep'
  | 'duplicate_header'
  | 'blank_header'
  | 'ragged_rows'
  | 'cut_off'
  | 'unclosed_quote'
  | 'stray_quote'
  | 'backslash_quotes'
  | 'nul_bytes'
  | 'ctrl_z'
  | 'invalid_utf8'
  | 'invalid_utf16'
  | 'invalid_utf32'
  | 'mixed_line_ends'

/** What is worth knowing, though a reader that follows RFC 4180 reads the file right. */
export type CsvNoteCode =
  | 'wide_encoding'
  | 'extra_byte_order_mark'
  | 'replacement_characters'
  | 'mojibake'
  | 'blank_first_name'
  | 'similar_names'
  | 'repeated_header'
  | 'quoted_line_breaks'
  | 'backslash_before_quote'
  | 'empty_rows'
  | 'only_delimiters'

interface Finding<Code extends string> {
  readonly code: Code
  /** One line for a person; what it cites from the file is escaped and cut. */
  readonly message: string
  /** Physical line of the file where it first shows, from 1. */
  readonly line?: number
  /** Byte of the file where it first shows, from 0. */
  readonly offset?: number
  /** How often it was found in the whole file. */
  readonly count?: number
}

export type CsvFault = Finding<CsvFaultCode>
export type CsvNote = Finding<CsvNoteCode>

export interface CsvShape {
  readonly encoding: CsvEncoding
  /** `null` if there is one column, with nothing to delimit. */
  readonly delimiter: string | null
  /** Line breaks between records; those inside quotes belong to the data and do not count. */
  readonly lineEnd: 'lf' | 'crlf' | 'cr' | 'mixed' | 'none'
  /** Whether the first record looks like column names: a guess. */
  readonly header: boolean
  /** Fields of the first record, or of the header that stands below a title. */
  readonly columns: number
  /** Data rows: records as RFC 4180 section 2 has them, without the header. Blank lines are none. */
  readonly rows: number
  /** `CSV_CHECK=strict` refuses the file for them. */
  readonly faults: readonly CsvFault[]
  /** They refuse nothing. */
  readonly notes: readonly CsvNote[]
}
