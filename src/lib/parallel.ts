/** Several tasks at once, within a bound. */

/**
 * Runs `task` over all `items`, at most `width` at once. The results are in the order of the items. After the first
 * rejection no new task begins, and the rejection is passed on when every task that had begun has ended.
 */
export async function mapParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const rest = items.entries()
  let first: { readonly reason: unknown } | undefined
  const work = async () => {
    for (const [index, item] of rest) {
      if (first !== undefined) return
      try {
        results[index] = await task(item, index)
      } catch (reason) {
        first ??= { reason }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
  if (first !== undefined) throw first.reason
  return results
}

/**
 * Calls `begin` with 0 to `count` - 1, one call after the other. What a call begins (its `ended`) goes on beside the
 * calls that follow. The results are in order. After the first rejection no new call is made, and the rejection is
 * passed on when everything that had begun has ended.
 */
export async function beginInOrder<Result>(
  count: number,
  begin: (index: number) => Promise<{ readonly ended: Promise<Result> }>,
): Promise<Result[]> {
  const results: Result[] = []
  const begun: Promise<void>[] = []
  let first: { readonly reason: unknown } | undefined
  const fail = (reason: unknown) => {
    first ??= { reason }
  }
  for (let index = 0; index < count && first === undefined; index += 1) {
    try {
      const { ended } = await begin(index)
      begun.push(
        ended.then(result => {
          results[index] = result
        }, fail),
      )
    } catch (reason) {
      fail(reason)
    }
  }
  await Promise.all(begun)
  if (first !== undefined) throw first.reason
  return results
}

/** Runs a task as soon as one of the slots is free, in the order of asking. */
export type Slots = <Result>(task: () => Promise<Result>) => Promise<Result>

/** `count` slots: so many tasks run at once. */
export function createSlots(count: number): Slots {
  let free = count
  const waiting: (() => void)[] = []
  return async task => {
    if (free > 0) free -= 1
    else await new Promise<void>(start => waiting.push(start))
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}
