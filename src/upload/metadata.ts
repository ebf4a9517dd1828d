/** What an object says of the file that it came from. */
import type { CsvReading } from '../csv/read-csv'

/** Header values must be visible ASCII, so a tab cannot stand for itself. */
const DELIMITER_NAMES = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' } as const

/** Every object that this program uploads has it. */
export const SOURCE_MTIME = 'source-mtime'

/**
 * S3's user metadata: names become `x-amz-meta-…` headers. What the CSV looks like is known if the file was read before
 * the upload begins. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export function describeForMetadata({ content, modified }: CsvReading): Record<string, string> {
  const mtime = { [SOURCE_MTIME]: modified.toISOString() }
  if (content?.shape === undefined) return mtime
  const { rows, columns, delimiter, encoding } = content.shape
  return {
    ...mtime,
    rows: String(rows),
    columns: String(columns),
    delimiter: DELIMITER_NAMES[delimiter],
    encoding,
  }
}
