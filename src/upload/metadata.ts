/** What an object says of the file that it came from. */
import type { CsvReading } from '../csv/read-csv'

/** Header values must be visible ASCII, so a tab cannot stand for itself. Other delimiters are told by their characters. */
const DELIMITER_NAMES: Readonly<Record<string, string>> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' }

/** Every object that this program uploads has it. */
export const SOURCE_MTIME = 'source-mtime'

/**
 * S3's user metadata: names become `x-amz-meta-…` headers. What the CSV looks like is known if the file was read before
 * the upload begins. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export function describeForMetadata({ content, modified }: CsvReading): Record<string, string> {
  const mtime = { [SOURCE_MTIME]: modified.toISOString() }
  if (content?.shape === undefined) return mtime
  const { rows, columns, delimiter, encoding, lineEnd } = content.shape
  return {
    ...mtime,
    rows: String(rows),
    columns: String(columns),
    delimiter: nameDelimiter(delimiter),
    encoding,
    'line-end': lineEnd,
  }
}

/** `comma`, `none`, `||`; what is not visible ASCII by its code: `U+0001`. */
function nameDelimiter(delimiter: string | null): string {
  if (delimiter === null) return 'none'
  const name = DELIMITER_NAMES[delimiter]
  if (name !== undefined) return name
  return delimiter.replace(/[^!-~]/gu, char => `U+${char.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`)
}
