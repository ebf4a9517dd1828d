/** The bound on the file content that is held in memory at once. */

export const MIB = 1024 * 1024

export interface Loan {
  /** Of the size that was asked for. It may still have the content of an earlier loan. */
  readonly buffer: Buffer
  /** Gives the buffer back. Call it once, when nothing reads or writes the buffer any more. */
  release(): void
}

export interface Memory {
  /** All loans together never have more bytes than this. */
  readonly bytes: number
  /** Lends a buffer of `size` bytes, `bytes` at most, as soon as there is room for it, in the order of asking. */
  borrow(size: number): Promise<Loan>
  /** Learns from a buffer of `size` bytes that the server has acknowledged after `ms` whether to lend more at once. */
  observe(size: number, ms: number): void
}

/** Lent at first if the server is near: if so much keeps the network busy, more only takes memory. */
const NEAR_BYTES = 16 * MIB
/**
 * Bytes in a millisecond of a fast request. A slower request waits for the network or the server, and more requests at
 * once move more bytes. One connection to S3 is slower than this.
 */
const FAST = (120 * MIB) / 1000

/**
 * A memory of `bytes` bytes.
 * @param isFar whether the server is far: all of the memory is lent then
 */
export function createMemory(bytes: number, isFar: () => boolean): Memory {
  let lentBytes = 0
  let openBytes = Math.min(bytes, NEAR_BYTES)
  const waiting: { readonly size: number; readonly start: () => void }[] = []
  /**
   * Large buffers that nobody holds, oldest first. Fresh memory costs a page fault for every 4 KiB, so they are kept.
   * Small files have as many sizes as there are files: what is kept for one fits no other.
   */
  const spare: Buffer[] = []

  const admit = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      // One large part is read while another one is sent, and one alone always fits.
      const most = isFar() ? bytes : Math.min(bytes, Math.max(openBytes, 2 * next.size))
      if (lentBytes > 0 && lentBytes + next.size > most) return
      waiting.shift()
      lentBytes += next.size
      next.start()
    }
  }
  const lend = (size: number): Buffer => {
    if (size < MIB) return Buffer.allocUnsafeSlow(size)
    const at = spare.findIndex(buffer => buffer.length === size)
    const [kept] = at === -1 ? [] : spare.splice(at, 1)
    if (kept !== undefined) return kept
    // What is kept and what is lent stay within the bound together.
    for (let held = sum(spare); held + lentBytes > bytes; held = sum(spare)) spare.shift()
    return Buffer.allocUnsafeSlow(size)
  }

  return {
    bytes,
    async borrow(size) {
      await new Promise<void>(start => {
        waiting.push({ size, start })
        admit()
      })
      const buffer = lend(size)
      return {
        buffer,
        release: () => {
          if (size >= MIB) spare.push(buffer)
          lentBytes -= size
          admit()
        },
      }
    },
    observe(size, ms) {
      // Shrink slowly: one fast request must not take back what a slow network needs.
      openBytes += size / ms < FAST ? size : -size / 4
      openBytes = Math.min(bytes, Math.max(openBytes, NEAR_BYTES))
      admit()
    },
  }
}

function sum(buffers: readonly Buffer[]): number {
  return buffers.reduce((total, buffer) => total + buffer.length, 0)
}
