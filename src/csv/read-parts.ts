/** Reads a file from end to end, piece by piece, as it is cut into parts. */
import type { CsvFile, FoundCsv } from './csv-file'
import { changedWhileReading, readFully, unreadable, withOpenCsv } from './csv-file'
import { isSameStamp, type Stamp } from './stamp'

/** Bytes read at once: the next chunk is on its way while one is looked at. */
const CHUNK_SIZE = 512 * 1024

/**
 * Hands every byte of the file to `take`, in order and in constant memory, together with the number of the part (from
 * 0) that it belongs to. An empty file has one empty part. The piece's buffer is used again after `take` returns.
 * @throws FileFailure `unreadable`, or `changed_while_reading` where the file changes under the reader, or since then.
 */
export async function readParts(
  file: FoundCsv & Partial<Pick<CsvFile, 'stamp'>>,
  signal: AbortSignal,
  take: (piece: Buffer, part: number) => void,
): Promise<Stamp> {
  const { name, partSize } = file
  return await withOpenCsv(file, async csv => {
    const stamp = csv.stamp()
    if (!stamp.isFile()) throw unreadable(name, 'not a regular file')
    if (file.stamp !== undefined && !isSameStamp(stamp, file.stamp)) throw changedWhileReading(name)
    const size = Number(stamp.size)
    const buffers = [allocateChunk(size), allocateChunk(size - CHUNK_SIZE)] as const
    let next = readFully(csv, buffers[0], 0)
    try {
      for (let offset = 0; offset < size || offset === 0; offset += CHUNK_SIZE) {
        const chunk = await next
        signal.throwIfAborted()
        next = readFully(csv, buffers[(offset / CHUNK_SIZE + 1) % 2 === 0 ? 0 : 1], offset + CHUNK_SIZE)
        let taken = 0
        do {
          const part = Math.floor((offset + taken) / partSize)
          const end = Math.min(chunk.length, (part + 1) * partSize - offset)
          take(chunk.subarray(taken, end), part)
          taken = end
        } while (taken < chunk.length)
      }
      await next
    } catch (error) {
      // A file is not closed while it is read.
      await next.catch(() => undefined)
      throw error
    }
    if (!isSameStamp(csv.stamp(), stamp)) throw changedWhileReading(name)
    return stamp
  })
}

function allocateChunk(rest: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.min(CHUNK_SIZE, Math.max(rest, 0)))
}
