/** SIGINT and SIGTERM as an `AbortSignal` that the whole run listens to. */
import { setMaxListeners } from 'node:events'
import { InterruptedFailure } from './errors'

/** Aborted by the first signal, with an `InterruptedFailure` as its reason; a second one ends the process at once. */
export function listenForStop(): AbortSignal {
  const controller = new AbortController()
  // Every request in flight listens.
  setMaxListeners(0, controller.signal)
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const failure = new InterruptedFailure(name)
      if (controller.signal.aborted) process.exit(failure.exitCode)
      controller.abort(failure)
    })
  }
  return controller.signal
}

/** `promise`, or the reason of `signal` where that is aborted first. */
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

/** Aborted `ms` after `signal`, or after now if that is later: for what must still be brought to an end once a run is told to stop. */
export function graceAfter(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController()
  const begin = () => setTimeout(() => controller.abort(signal.reason), ms).unref()
  if (signal.aborted) begin()
  else signal.addEventListener('abort', begin, { once: true })
  return controller.signal
}
