/** Reads a file once, part by part: each part with its CRC-32, and the CSV scanned as its bytes pass. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { combineCrc32 } from '../lib/crc32'
import type { Memory } from '../lib/memory'
import type { CsvCheck } from './check-csv'
import { changedWhileReading, type FoundCsv, openCsv } from './csv-file'
import { createCsvScanner } from './scan/scan-csv'
import type { CsvShape } from './scan/shape'

/** Bytes that are looked at in one turn of the event loop, while the next ones are read. */
const SLICE_BYTES = 512 * 1024

/** Checksums of a whole file that is cut into parts of one size. An empty file has one empty part. */
export interface Digest {
  /** Bytes of each part except the last one. */
  readonly partSize: number
  /** The CRC-32 of the whole file. */
  readonly crc32: number
  readonly partCrc32s: readonly number[]
  /** The MD5 of each part, if it was asked for. */
  readonly partMd5s: readonly Buffer[]
}

/** What the program learnt of a file when it read all of it. */
export interface CsvContent {
  /** Bytes. */
  readonly size: number
  readonly digest: Digest
  /** Unknown if the check is off. */
  readonly shape: CsvShape | undefined
}

export interface CsvPart {
  readonly body: Buffer
  readonly crc32: number
}

export interface CsvReading {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Bytes of a part, unless the reading was restarted with another one. */
  readonly partSize: number
  readonly modified: Date
  /** Known after the file was read to its end, and only then. */
  readonly content: CsvContent | undefined
  /** Begins at the first byte again, with parts of `partSize` bytes. */
  restart(partSize: number): void
  /**
   * Reads the next part into `buffer`, which has room for it.
   * @throws FileFailure `unreadable`, or `changed_while_reading` if the file is shorter by now
   */
  readPart(buffer: Buffer): Promise<CsvPart>
  /**
   * Reads the whole file for its checksums, and keeps nothing. Borrows 1 MiB at most, whatever the size of the file.
   * @throws FileFailure as `readPart`
   */
  skim(partSize: number, memory: Memory, withMd5?: boolean): Promise<Digest>
  /**
   * To be called after the last byte was read, and before the file lands.
   * @param readAgain reads the whole file once more: needed if no time tells
   * @throws FileFailure `changed_while_reading` if what was read may be no single state of the file
   */
  assertUnchanged(readAgain: () => Promise<unknown>): Promise<void>
  /** To be called when no read is under way. */
  close(): void
}

interface Options {
  /** Whether to scan the CSV. */
  readonly check: CsvCheck
  /** Chooses the bytes of a part by the size that the file has when it is opened. */
  readonly choosePartSize: (size: number) => number
  /** What an earlier reading of the file learnt. */
  readonly known: CsvContent | undefined
  /** Ends the reading. */
  readonly signal: AbortSignal
  /** Counts every byte that is read. */
  readonly stats: { bytesRead: number }
}

/** What one reading has learnt so far. */
interface Pass {
  readonly partSize: number
  readonly partCrc32s: number[]
  readonly partMd5s: Buffer[]
  scanner: ReturnType<typeof createCsvScanner> | undefined
}

/**
 * Opens a file and hands out its parts in order.
 * @throws FileFailure `unreadable`, and what `choosePartSize` throws
 */
export function readCsv(found: FoundCsv, { check, choosePartSize, known, signal, stats }: Options): CsvReading {
  const file = openCsv(found)
  const { name, size } = file
  let partSize: number
  try {
    partSize = choosePartSize(size)
  } catch (error) {
    file.close()
    throw error
  }
  let isOpen = true
  let content = known
  let readings = known === undefined ? 0 : 1
  let pass = startPass(partSize)

  function startPass(partSize: number): Pass {
    const scanner = check === 'off' || content?.shape !== undefined ? undefined : createCsvScanner()
    return { partSize, partCrc32s: [], partMd5s: [], scanner }
  }

  /** Takes the bytes from `begin` to `end` in slices, each read into the buffer that `place` gives. */
  async function readThrough(
    begin: number,
    end: number,
    place: (offset: number, length: number) => Buffer,
    take: (slice: Buffer) => void,
  ): Promise<void> {
    const readFrom = (offset: number) => {
      const length = Math.min(SLICE_BYTES, end - offset)
      const read = length > 0 ? file.read(place(offset, length), offset) : undefined
      // A slice that fails is waited for below.
      read?.catch(() => {})
      return read
    }
    let next = readFrom(begin)
    try {
      for (let offset = begin; next !== undefined; ) {
        const slice: Buffer = await next
        next = undefined
        signal.throwIfAborted()
        offset += slice.length
        next = readFrom(offset)
        stats.bytesRead += slice.length
        take(slice)
      }
    } finally {
      // No file is closed, and no buffer given back, while it is read.
      await next?.catch(() => {})
    }
  }

  const partAt = (partSize: number, index: number) => ({
    begin: index * partSize,
    end: Math.min((index + 1) * partSize, size),
  })

  /** Ends the pass if all parts were read. */
  function endPass(): Digest | undefined {
    const { partSize, partCrc32s, partMd5s, scanner } = pass
    if (partCrc32s.length * partSize < size) return undefined
    const digest = { partSize, partCrc32s, partMd5s, crc32: combineCrc32(partCrc32s, partSize, size) }
    if (content !== undefined && content.digest.crc32 !== digest.crc32) throw changedWhileReading(name)
    content = { size, digest, shape: scanner?.end() ?? content?.shape }
    // The scanner holds the beginning of the file, which nobody needs while the file is sent.
    pass.scanner = undefined
    readings += 1
    return digest
  }

  return {
    name,
    size,
    partSize,
    modified: file.modified,
    get content() {
      return content
    },
    restart: partSize => {
      pass = startPass(partSize)
    },
    readPart: async buffer => {
      const { begin, end } = partAt(pass.partSize, pass.partCrc32s.length)
      let crc = 0
      const place = (offset: number, length: number) => buffer.subarray(offset - begin, offset - begin + length)
      await readThrough(begin, end, place, slice => {
        crc = crc32(slice, crc)
        pass.scanner?.update(slice)
      })
      pass.partCrc32s.push(crc)
      endPass()
      return { body: buffer.subarray(0, end - begin), crc32: crc }
    },
    skim: async (partSize, memory, withMd5 = false) => {
      pass = startPass(partSize)
      const { buffer, release } = await memory.borrow(size > SLICE_BYTES ? 2 * SLICE_BYTES : size)
      let at = 0
      // A file of one slice has room for one.
      const place = (_offset: number, length: number) => {
        at = at === 0 && buffer.length > SLICE_BYTES ? SLICE_BYTES : 0
        return buffer.subarray(at, at + length)
      }
      try {
        for (;;) {
          const { begin, end } = partAt(partSize, pass.partCrc32s.length)
          const md5 = withMd5 ? createHash('md5') : undefined
          let crc = 0
          await readThrough(begin, end, place, slice => {
            crc = crc32(slice, crc)
            md5?.update(slice)
            pass.scanner?.update(slice)
          })
          pass.partCrc32s.push(crc)
          if (md5 !== undefined) pass.partMd5s.push(md5.digest())
          const digest = endPass()
          if (digest !== undefined) return digest
        }
      } finally {
        release()
      }
    },
    assertUnchanged: async readAgain => {
      const changed = file.hasChanged()
      if (changed === 'yes') throw changedWhileReading(name)
      // Two readings that gave the same CRC-32 prove it, too. Another reading that gives another one throws.
      if (changed === 'perhaps' && readings < 2) await readAgain()
    },
    close: () => {
      if (isOpen) file.close()
      isOpen = false
    },
  }
}
