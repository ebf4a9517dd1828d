/** A CSV file that is open: its bytes, and whether it is still what it was when it was opened. */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readSync,
  realpathSync,
  statfsSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { FileFailure, nameSystemError } from '../errors'

/** A file that was found, before a byte of it was read. */
export interface FoundCsv {
  /** Where it is opened. No part of it is a symbolic link. */
  readonly path: string
  /** The path relative to the folder it came from, with `/`. */
  readonly name: string
  /** Bytes. */
  readonly size: number
}

interface CsvFile {
  readonly name: string
  /** Bytes, when it was opened. */
  readonly size: number
  readonly modified: Date
  /**
   * Fills `buffer` from `offset` on.
   * @throws FileFailure `unreadable`, or `changed_while_reading` if the file ends before the buffer is full
   */
  read(buffer: Buffer, offset: number): Promise<Buffer>
  /**
   * Looks whether the file changed since it was opened. `perhaps`: neither its size nor its modification time tells,
   * and its content must be compared.
   * @throws FileFailure `unreadable`
   */
  hasChanged(): 'no' | 'yes' | 'perhaps'
  /** Call it once, when no read is under way. */
  close(): void
}

/**
 * File systems take the time of a change from a clock that ticks at most every 10 ms (the timer of Linux runs at 100 Hz
 * or more). A change in the same tick as the last one leaves the change time as it was. Twice that, to be safe.
 */
const TICK_MS = 20
/** The tick of FAT's modification times, the coarsest in use. */
const COARSE_TICK_MS = 2000

/**
 * File systems over a network, whose attributes Linux caches: NFS, SMB (three), FUSE, 9p, Ceph, AFS (two), Lustre.
 * https://man7.org/linux/man-pages/man2/statfs.2.html
 */
const NETWORK_TYPES = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997, 0x00c36400, 0x5346414f, 0x6b414653, 0x0bd00bd0,
])

// The content comes from a disk, and other threads wait for it. What the kernel knows of a file that was just found is
// asked for at once: for many small files that takes a fifth of the time.
const readDescriptor = promisify(read)

/**
 * Opens a regular file for reading.
 * @throws FileFailure `unreadable`, also if a symbolic link or a pipe took its place since it was found
 */
export function openCsv({ path, name }: FoundCsv): CsvFile {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
  const descriptor = orUnreadable(name, () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  try {
    // The flag guards only the last part of a path.
    if (orUnreadable(name, () => realpathSync.native(path)) !== path) throw unreadable(name, 'ELOOP')
    const opened = orUnreadable(name, () => fstatSync(descriptor, { bigint: true }))
    if (!opened.isFile()) throw unreadable(name, 'not a regular file')
    const isRecent = wasJustChanged(opened, Date.now())
    const isNetwork = orUnreadable(name, () => isOverNetwork(path, opened.dev))
    const look = isNetwork ? () => openAgain(descriptor) : () => fstatSync(descriptor, { bigint: true })
    return {
      name,
      size: Number(opened.size),
      modified: new Date(Number(opened.mtimeNs / 1_000_000n)),
      read: (buffer, offset) => readFully(name, descriptor, buffer, offset),
      hasChanged: () => {
        const now = orUnreadable(name, look)
        if (now.size !== opened.size || now.mtimeNs !== opened.mtimeNs) return 'yes'
        // Some file systems do not know how long their files are.
        if (orUnreadable(name, () => readSync(descriptor, END, 0, 1, Number(opened.size))) > 0) return 'yes'
        // Also new rights, another name or a file that takes its place move the change time: the content decides.
        return isRecent || now.ctimeNs !== opened.ctimeNs ? 'perhaps' : 'no'
      },
      close: () => closeSync(descriptor),
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Room for what may stand behind the end. */
const END = Buffer.alloc(1)

/** Whether a change right now could leave the times of the file as they are. A time in the future proves nothing. */
function wasJustChanged({ ctimeNs, mtimeNs }: BigIntStats, now: number): boolean {
  const changed = ctimeNs === 0n ? mtimeNs : ctimeNs
  const isCoarse = ctimeNs === 0n || changed % 1_000_000n === 0n
  return Number(changed / 1_000_000n) > now - (isCoarse ? COARSE_TICK_MS : TICK_MS)
}

/** Whether each device that was asked about is a file system over a network: asked once, not for each of many files. */
const networks = new Map<bigint, boolean>()

function isOverNetwork(path: string, device: bigint): boolean {
  const isNetwork = networks.get(device) ?? (process.platform === 'linux' && NETWORK_TYPES.has(statfsSync(path).type))
  networks.set(device, isNetwork)
  return isNetwork
}

/** The open file as its server has it: only a new open asks for that (NFS: close-to-open consistency). */
function openAgain(descriptor: number): BigIntStats {
  // Opens the same file, whatever has its name by now.
  const again = openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY)
  try {
    return fstatSync(again, { bigint: true })
  } finally {
    closeSync(again)
  }
}

async function readFully(name: string, descriptor: number, buffer: Buffer, offset: number): Promise<Buffer> {
  for (let filled = 0; filled < buffer.length; ) {
    const { bytesRead } = await readDescriptor(
      descriptor,
      buffer,
      filled,
      buffer.length - filled,
      offset + filled,
    ).catch(cause => {
      throw unreadable(name, cause)
    })
    if (bytesRead === 0) throw changedWhileReading(name)
    filled += bytesRead
  }
  return buffer
}

function orUnreadable<Result>(name: string, ask: () => Result): Result {
  try {
    return ask()
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

function unreadable(name: string, cause: unknown): FileFailure {
  const code = nameSystemError(cause)
  const advice: Readonly<Record<string, string>> = {
    EACCES: 'Give the user that runs this program the right to read the file (chmod a+r).',
    ENOENT: 'It was there when the run began: keep files in place until the run ends, and start the run again.',
    ELOOP: 'A symbolic link took its place, or the place of a folder above: put the file itself there.',
  }
  return new FileFailure(`${name} cannot be read (${code}).`, {
    code: 'unreadable',
    advice: advice[code] ?? 'Check the file and the disk it is on.',
    cause,
  })
}

export function changedWhileReading(name: string): FileFailure {
  return new FileFailure(`${name} changed while reading.`, {
    code: 'changed_while_reading',
    advice: 'Start the run again when nothing writes to the file any more.',
    retryable: true,
  })
}
