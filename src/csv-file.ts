/** A CSV file as it was read: what it must still be when it is sent. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { FileFailure } from './errors'
import type { CsvShape } from './scan/csv-shape'

/** A file that was found, before a byte of it was read. */
export interface FoundCsv {
  /** Where it is opened: no part of it is a symbolic link that was not followed when it was found. */
  readonly path: string
  /** The path relative to the folder it came from, with `/`. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Bytes of a part of its upload; all parts but the last one have this size. */
  readonly partSize: number
}

/** What tells a changed file without reading it; an edit that keeps all of it shows in the checksums of the parts. */
export interface Stamp {
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ino: bigint
}

export interface CsvFile extends FoundCsv {
  readonly stamp: Stamp
  /** The CRC-32 of each part, in order; an empty file has one empty part. */
  readonly partCrc32s: readonly number[]
  /** The CRC-32 of the whole file. */
  readonly crc32: number
  /** What the file looks like as CSV; unknown where that was not to be looked at. */
  readonly shape?: CsvShape
}

/**
 * Opens a regular file for reading. A symbolic link or a pipe that took its place since it was found is refused.
 * @throws FileFailure `unreadable`
 */
export async function openCsv({ path, name }: FoundCsv): Promise<FileHandle> {
  let handle: FileHandle | undefined
  try {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    // O_NOFOLLOW guards the last part of the path only.
    if ((await realpath(path)) !== path) throw Object.assign(new Error('a folder is a link'), { code: 'ELOOP' })
    return handle
  } catch (cause) {
    await handle?.close()
    throw unreadable(name, cause)
  }
}

export function unreadable(name: string, cause: unknown): FileFailure {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  const advice: Readonly<Record<string, string>> = {
    EACCES: 'Give the user that runs this the right to read the file (chmod a+r).',
    ENOENT: 'It was there when the run began: keep files in place until the run ends, and start it again.',
    ELOOP: 'A symbolic link took its place, or that of a folder above: put the file itself there.',
  }
  return new FileFailure(`${name} cannot be read (${code}).`, {
    code: 'unreadable',
    advice: advice[code] ?? 'Check the file and the disk it is on.',
    cause,
  })
}

/** Fills `buffer` from `offset` on, or up to the end of the file, and returns what was filled. */
export async function readFully(handle: FileHandle, buffer: Buffer, offset: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/**
 * Part `index` (from 0) of an open file, read into `buffer`, which has room for it.
 * @throws FileFailure `changed_while_reading` where it is not what was read the first time.
 */
export async function readPart(handle: FileHandle, file: CsvFile, index: number, buffer: Buffer): Promise<Buffer> {
  const offset = index * file.partSize
  const length = Math.min(file.partSize, file.size - offset)
  const part = await readFully(handle, buffer.subarray(0, length), offset).catch(cause => {
    throw unreadable(file.name, cause)
  })
  if (part.length !== length || crc32(part) !== file.partCrc32s[index]) throw changedWhileReading(file.name)
  return part
}

/**
 * To be asked after the last byte was taken, of the path: an open file does not tell that another one has its place.
 * @throws FileFailure `changed_while_reading` where the file is not what it was when it was read.
 */
export async function refuseChanged({ path, name, stamp }: CsvFile): Promise<void> {
  const now = await lstat(path, { bigint: true }).catch(() => undefined)
  if (now === undefined || !isSameStamp(now, stamp)) throw changedWhileReading(name)
}

export function isSameStamp(a: Stamp, b: Stamp): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino
}

export function changedWhileReading(name: string): FileFailure {
  return new FileFailure(`${name} changed while reading.`, {
    code: 'changed_while_reading',
    advice: 'Start the run again once nothing writes to the file any more.',
    retryable: true,
  })
}
