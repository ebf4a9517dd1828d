/** First bytes (as Latin-1) of what is at times given the name of a CSV file. */
const MAGIC: readonly (readonly [string, string])[] = [
  ['\x1f\x8b', 'a gzip file'],
  ['PK\x03\x04', 'a ZIP file, such as an Excel workbook'],
  ['\xd0\xcf\x11\xe0', 'an old Excel workbook'],
  // With the first byte of a Thrift structure: a header may well begin with a column "PAR1".
  ['PAR1\x15', 'a Parquet file'],
  ['%PDF-', 'a PDF file'],
]

/** What kind of binary file begins like this, as a person says it. */
export function sniffBinary(sample: Uint8Array): string | undefined {
  const head = Buffer.from(sample.subarray(0, 8)).toString('latin1')
  return MAGIC.find(([magic]) => head.startsWith(magic))?.[1]
}
