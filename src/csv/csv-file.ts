/** A CSV file as it was read: what it must still be when it is sent. */
import { closeSync, constants, fstatSync, lstatSync, openSync, read, realpathSync } from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { FileFailure, nameSystemError } from '../errors'
import type { CsvShape } from './scan/shape'
import { isSameStamp, type Stamp } from './stamp'

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

export interface CsvFile extends FoundCsv {
  readonly stamp: Stamp
  /** The CRC-32 of each part, in order; an empty file has one empty part. */
  readonly partCrc32s: readonly number[]
  /** The CRC-32 of the whole file. */
  readonly crc32: number
  /** What the file looks like as CSV; unknown where that was not to be looked at. */
  readonly shape?: CsvShape
}

// Content has to come from a disk, and is waited for in other threads. What the kernel knows of a file since it was found
// is asked for at once, which for many small files takes a fifth of the time.
const readFile = promisify(read)

/** A file that is open. */
interface OpenCsv {
  readonly name: string
  readonly descriptor: number
  /** As it is now. */
  stamp(): Stamp & { isFile(): boolean }
}

/**
 * Opens a regular file for reading, and closes it when `task`, which has by then ended all reading, has ended. A symbolic
 * link or a pipe that took its place since it was found is refused.
 * @throws FileFailure `unreadable`
 */
export async function withOpenCsv<Result>(
  { path, name }: FoundCsv,
  task: (csv: OpenCsv) => Promise<Result>,
): Promise<Result> {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  const descriptor = orUnreadable(name, () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  try {
    // The flag guards the last part of a path only.
    if (orUnreadable(name, () => realpathSync.native(path)) !== path) {
      throw unreadable(name, Object.assign(new Error('a folder is a link'), { code: 'ELOOP' }))
    }
    const stamp = () => orUnreadable(name, () => fstatSync(descriptor, { bigint: true }))
    return await task({ name, descriptor, stamp })
  } finally {
    closeSync(descriptor)
  }
}

function orUnreadable<Result>(name: string, ask: () => Result): Result {
  try {
    return ask()
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

export function unreadable(name: string, cause: unknown): FileFailure {
  const code = nameSystemError(cause)
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

/**
 * Fills `buffer` from `offset` on, or up to the end of the file, and returns what was filled.
 * @throws FileFailure `unreadable`
 */
export async function readFully({ name, descriptor }: OpenCsv, buffer: Buffer, offset: number): Promise<Buffer> {
  let filled = 0
  while (filled < buffer.length) {
    const rest = buffer.length - filled
    const { bytesRead } = await readFile(descriptor, buffer, filled, rest, offset + filled).catch(cause => {
      throw unreadable(name, cause)
    })
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/**
 * Part `index` (from 0) of an open file, read into `buffer`, which has room for it. Whether its bytes are those that were
 * read the first time is still to be asked.
 * @throws FileFailure `changed_while_reading` where there are not as many.
 */
export async function readPart(csv: OpenCsv, file: CsvFile, index: number, buffer: Buffer): Promise<Buffer> {
  const offset = index * file.partSize
  const length = Math.min(file.partSize, file.size - offset)
  const part = await readFully(csv, buffer.subarray(0, length), offset)
  if (part.length !== length) throw changedWhileReading(file.name)
  return part
}

/** @throws FileFailure `changed_while_reading` where `part` has another CRC-32 than when it was read the first time. */
export function refuseChangedPart(part: Buffer, crc: number, name: string): void {
  if (crc32(part) !== crc) throw changedWhileReading(name)
}

/**
 * To be asked after the last byte was taken, of the path: an open file does not tell that another one has its place.
 * @throws FileFailure `changed_while_reading` where the file is not what it was when it was read.
 */
export function refuseChanged({ path, name, stamp }: CsvFile): void {
  const now = lookAgain(path)
  if (now === undefined || !isSameStamp(now, stamp)) throw changedWhileReading(name)
}

function lookAgain(path: string): Stamp | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch {
    return undefined
  }
}

export function changedWhileReading(name: string): FileFailure {
  return new FileFailure(`${name} changed while reading.`, {
    code: 'changed_while_reading',
    advice: 'Start the run again once nothing writes to the file any more.',
    retryable: true,
  })
}
