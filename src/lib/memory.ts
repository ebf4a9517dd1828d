/** The bound on what is in flight: requests, and the file content that they hold in memory. */

export interface Budget {
  /** Tasks at once. */
  readonly slots: number
  /** Of all their buffers together. */
  readonly bytes: number
  /**
   * Runs `task` with a buffer of `bytes` as soon as a slot and the memory are free, in the order of asking. The buffer
   * is taken back when the task ends: its old content is still in it the next time.
   */
  run<Result>(bytes: number, task: (buffer: Buffer) => Promise<Result>): Promise<Result>
}

const MIB = 1024 * 1024

/** Of all buffers at first: where that many bytes in flight keep the network busy, more would take memory and do nothing. */
const FIRST_BYTES = 16 * MIB
/**
 * Bytes in a millisecond. A task that is slower waits for the network or the server, and more at once will do more; one
 * connection to S3 is slower than this.
 */
const FAST = (120 * MIB) / 1000

/**
 * A budget of `slots` tasks at once whose buffers have `bytes` together; a single task never asks for more than that.
 * Less is lent as long as tasks are fast.
 * @param clock milliseconds
 */
export function createBudget(slots: number, bytes: number, clock = () => performance.now()): Budget {
  let freeSlots = slots
  let lentBytes = 0
  let openBytes = Math.min(bytes, FIRST_BYTES)
  const waiting: { bytes: number; start: () => void }[] = []
  /** Buffers that no task holds, oldest first. Fresh memory costs a page fault for every 4 KiB, so they are kept. */
  const spare: Buffer[] = []

  const admit = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (freeSlots === 0 || lentBytes + next.bytes > Math.max(openBytes, next.bytes)) return
      waiting.shift()
      freeSlots -= 1
      lentBytes += next.bytes
      next.start()
    }
  }
  const lend = (size: number): Buffer => {
    const kept = spare.findIndex(buffer => buffer.length === size)
    if (kept !== -1) return spare.splice(kept, 1)[0] as Buffer
    // Together with what is lent, what is kept stays within the bound.
    for (let kept = sum(spare); kept + lentBytes > bytes; kept = sum(spare)) spare.shift()
    return Buffer.allocUnsafeSlow(size)
  }

  return {
    slots,
    bytes,
    async run(size, task) {
      await new Promise<void>(start => {
        waiting.push({ bytes: size, start })
        admit()
      })
      const buffer = lend(size)
      const begun = clock()
      try {
        return await task(buffer)
      } finally {
        // Slowly back, so that a hiccup is no lasting reason for more, and the wait for a network is.
        openBytes += size / (clock() - begun) < FAST ? size : -size / 4
        openBytes = Math.min(bytes, Math.max(openBytes, FIRST_BYTES))
        spare.push(buffer)
        freeSlots += 1
        lentBytes -= size
        admit()
      }
    },
  }
}

function sum(buffers: readonly Buffer[]): number {
  return buffers.reduce((bytes, buffer) => bytes + buffer.length, 0)
}
