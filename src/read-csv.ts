/** The first of the two times that a file is read: for its size and its checksums. */
import { crc32 } from 'node:zlib'
import { combineCrc32 } from './checksum'
import {
  type CsvFile,
  changedWhileReading,
  type FoundCsv,
  isSameStamp,
  openCsv,
  readFully,
  unreadable,
} from './csv-file'

/** Bytes read at once: the next chunk is on its way while one is looked at. Every part size is a multiple of it. */
const CHUNK_SIZE = 512 * 1024

/** Files read side by side: with two chunks each, they stay within the smallest `MAX_MEMORY`. */
export const READERS = 4

/**
 * Reads the whole file once, in constant memory.
 * @throws FileFailure `unreadable`, or `changed_while_reading` where it changes under the reader.
 */
export async function readCsv(found: FoundCsv, signal: AbortSignal): Promise<CsvFile> {
  const { name, partSize } = found
  const handle = await openCsv(found)
  try {
    const stamp = await handle.stat({ bigint: true })
    if (!stamp.isFile()) throw unreadable(name, 'not a regular file')
    const size = Number(stamp.size)
    const partCrc32s: number[] = []
    const buffers = [allocateChunk(size), allocateChunk(size - CHUNK_SIZE)] as const
    let next = readFully(handle, buffers[0], 0)
    for (let offset = 0; offset < size || offset === 0; offset += CHUNK_SIZE) {
      const chunk = await next
      signal.throwIfAborted()
      next = readFully(handle, buffers[(offset / CHUNK_SIZE + 1) % 2 === 0 ? 0 : 1], offset + CHUNK_SIZE)
      const part = Math.floor(offset / partSize)
      partCrc32s[part] = crc32(chunk, partCrc32s[part] ?? 0)
    }
    await next
    if (!isSameStamp(await handle.stat({ bigint: true }), stamp)) throw changedWhileReading(name)
    return { ...found, size, stamp, partCrc32s, crc32: combineCrc32(partCrc32s, partSize, size) }
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? unreadable(name, error) : error
  } finally {
    await handle.close()
  }
}

function allocateChunk(rest: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.min(CHUNK_SIZE, Math.max(rest, 0)))
}
