/** The first of the two times that a file is read: for its size and its checksums. */
import { crc32 } from 'node:zlib'
import { combineCrc32 } from './checksum'
import { type CsvFile, changedWhileReading, type FoundCsv } from './csv-file'
import { readParts } from './read-parts'

/** Files read side by side: with two chunks each, they stay within the smallest `MAX_MEMORY`. */
export const READERS = 4

/**
 * Reads the whole file once, in constant memory.
 * @throws FileFailure `unreadable`, or `changed_while_reading` where it changes under the reader.
 */
export async function readCsv(found: FoundCsv, signal: AbortSignal): Promise<CsvFile> {
  const partCrc32s: number[] = []
  const stamp = await readParts(found, signal, (piece, part) => {
    partCrc32s[part] = crc32(piece, partCrc32s[part] ?? 0)
  })
  const size = Number(stamp.size)
  return { ...found, size, stamp, partCrc32s, crc32: combineCrc32(partCrc32s, found.partSize, size) }
}

/**
 * The file as it is when cut into parts of another size, which takes another look at its bytes.
 * @throws FileFailure `changed_while_reading` where they are not the same.
 */
export async function cutAnew(file: CsvFile, partSize: number, signal: AbortSignal): Promise<CsvFile> {
  if (file.partSize === partSize) return file
  const cut = await readCsv({ ...file, partSize }, signal)
  if (cut.crc32 !== file.crc32) throw changedWhileReading(file.name)
  return cut
}
