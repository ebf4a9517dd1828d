export type CsvEncoding = 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be' | 'windows-1252'

export const DELIMITERS = [',', ';', '\t', '|'] as const

export type CsvDelimiter = (typeof DELIMITERS)[number]

/** What is wrong with a file's CSV, for programs: stable names, part of the JSON output. */
type CsvFaultCode =
  | 'empty'
  | 'binary'
  | 'header_only'
  | 'duplicate_header'
  | 'blank_header'
  | 'ragged_rows'
  | 'cut_off'
  | 'unclosed_quote'
  | 'stray_quote'
  | 'nul_bytes'
  | 'invalid_utf8'
  | 'mixed_line_ends'

export interface CsvFault {
  readonly code: CsvFaultCode
  /** One line for a person; what it cites from the file is escaped and cut. */
  readonly message: string
  /** Physical line of the file where it first shows, from 1. */
  readonly line?: number
  /** Byte of the file where it first shows, from 0; approximate in UTF-16. */
  readonly offset?: number
  /** How often it was found in the whole file. */
  readonly count?: number
}

export interface CsvShape {
  readonly encoding: CsvEncoding
  readonly delimiter: CsvDelimiter
  /** Line breaks between records; those inside quotes belong to the data and do not count. */
  readonly lineEnd: 'lf' | 'crlf' | 'cr' | 'mixed' | 'none'
  /** Whether the first record looks like column names: a guess. */
  readonly header: boolean
  /** Fields of the first record. */
  readonly columns: number
  /** Records as RFC 4180 section 2 has them, the header among them; blank lines are none. */
  readonly rows: number
  readonly faults: readonly CsvFault[]
}
