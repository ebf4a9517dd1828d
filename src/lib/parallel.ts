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
