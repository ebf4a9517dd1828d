/** The first of the two times that a file is read: for its size, its checksums and its shape. */
import { crc32 } from 'node:zlib'
import { combineCrc32 } from '../lib/crc32'
import type { CsvCheck } from './check-csv'
import { type CsvFile, changedWhileReading, type FoundCsv } from './csv-file'
import { readParts } from './read-parts'
import { createCsvScanner } from './scan/scan-csv'

/** Files read side by side: with two chunks each, they stay within the smallest `MAX_MEMORY`. */
export const READERS = 4

/**
 * Reads the whole file once, in constant memory.
 * @param check whether to learn on the way what the file looks like as CSV
 * @param tally counts what was read
 * @throws FileFailure `unreadable`, or `changed_while_reading` where it changes under the reader.
 */
export async function readCsv(
  found: FoundCsv,
  check: CsvCheck,
  signal: AbortSignal,
  tally: { bytesRead: number } = { bytesRead: 0 },
): Promise<CsvFile> {
  const scanner = check === 'off' ? undefined : createCsvScanner()
  const partCrc32s: number[] = []
  const stamp = await readParts(found, signal, (piece, part) => {
    partCrc32s[part] = crc32(piece, partCrc32s[part] ?? 0)
    scanner?.update(piece)
    tally.bytesRead += piece.length
  })
  const size = Number(stamp.size)
  const shape = scanner === undefined ? {} : { shape: scanner.end() }
  return { ...found, ...shape, size, stamp, partCrc32s, crc32: combineCrc32(partCrc32s, found.partSize, size) }
}

/**
 * The file as it is when cut into parts of another size, which takes another look at its bytes.
 * @throws FileFailure `changed_while_reading` where they are not the same.
 */
export async function cutAnew(file: CsvFile, partSize: number, signal: AbortSignal): Promise<CsvFile> {
  if (file.partSize === partSize) return file
  const cut = await readCsv({ ...file, partSize }, 'off', signal)
  if (cut.crc32 !== file.crc32) throw changedWhileReading(file.name)
  return cut
}
