/** What an object says of the file that it came from. */
import type { CsvFile } from '../csv/csv-file'

/** Header values must be visible ASCII, so a tab cannot stand for itself. */
const DELIMITER_NAMES = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' } as const

/** S3's user metadata: names become `x-amz-meta-…` headers. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
export function describeForMetadata({ shape, stamp }: CsvFile): Record<string, string> {
  const sourceMtime = { 'source-mtime': new Date(Number(stamp.mtimeNs / 1_000_000n)).toISOString() }
  if (shape === undefined) return sourceMtime
  const { rows, columns, delimiter, encoding } = shape
  return {
    ...sourceMtime,
    rows: String(rows),
    columns: String(columns),
    delimiter: DELIMITER_NAMES[delimiter],
    encoding,
  }
}
