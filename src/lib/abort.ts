/** Work that ends when a signal is aborted. */

/** `promise`, or a rejection with the reason of `signal` if that is aborted first. */
export async function untilAborted<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * A signal that is aborted `ms` after `signal` is, or `ms` from now if that is later: for work that must still be
 * brought to an end after a run is told to stop.
 */
export function graceAfter(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController()
  const begin = () => setTimeout(() => controller.abort(signal.reason), ms).unref()
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return controller.signal
}
