/**
 * `task` over all `items`, at most `width` at once; results in the order of the items. After the first rejection
 * nothing new is begun, and it is passed on once everything begun has ended.
 */
export async function mapParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  task: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const rest = items.entries()
  let failed = false
  const work = async () => {
    for (const [index, item] of rest) {
      if (failed) return
      try {
        results[index] = await task(item, index)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, work))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return results
}
