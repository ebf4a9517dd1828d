/** The files that one of several runs takes: n runs take every file once, and no coordinator is asked. */
import { createHash } from 'node:crypto'

export interface Shard {
  /** From 0. */
  readonly index: number
  readonly count: number
}

/**
 * Those of `files` that fall to `shard` by a hash of their names (paths relative to their folder), the same on every
 * machine and whatever other files there are. Without a shard, all.
 */
export function takeShare<File extends { readonly name: string }>(
  files: readonly File[],
  shard: Shard | undefined,
): readonly File[] {
  return shard === undefined ? files : files.filter(({ name }) => hashName(name) % shard.count === shard.index)
}

/** 48 bits of SHA-256, the most that Node reads as one exact number. */
function hashName(name: string): number {
  return createHash('sha256').update(name.normalize('NFC')).digest().readUIntBE(0, 6)
}
