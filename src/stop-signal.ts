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
