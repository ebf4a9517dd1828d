/** What tells a changed file without reading it. */
export interface Stamp {
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ino: bigint
  /** Moves with the rights and the links of a file as well, and nobody can set it back; after a memory map it moves late. */
  readonly ctimeNs: bigint
}

/** Whether the content may be the same: new rights or links are no reason to doubt it. */
export function isSameStamp(a: Stamp, b: Stamp): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ino === b.ino
}

/** Whether nothing at all was done to a file, as far as its file system tells. */
export function isUntouched(a: Stamp, b: Stamp): boolean {
  return isSameStamp(a, b) && a.ctimeNs === b.ctimeNs
}
