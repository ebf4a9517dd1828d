/** How a file is cut into the parts of a multipart upload. */
import { ConfigFailure } from '../errors'
import { MIB } from '../lib/memory'

/** Parts of this size are small enough to keep many in flight, and large enough to keep requests few. */
const USUAL_PART_SIZE = 8 * MIB

/** S3's limits. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000
const MAX_PART_SIZE = 5 * 1024 * MIB
/** Some servers take no more parts: OpenStack Swift, Scaleway. */
const MAX_PARTS_EVERYWHERE = 1000
/** Parts that must fit into memory together: one is read while others are sent. */
const PARTS_IN_MEMORY = 4

/**
 * The part size, in bytes, for a file of `size` bytes, in whole MiB. It is the usual one as long as 1,000 parts are
 * enough, then it grows as long as four parts fit into `maxMemory` bytes, then as 10,000 parts ask for.
 * @throws ConfigFailure if a part would not fit into `maxMemory`, or S3 takes no object of that size
 */
export function choosePartSize(name: string, size: number, maxMemory: number): number {
  const sizeFor = (parts: number) => Math.ceil(size / parts / MIB) * MIB
  const roomy = Math.floor(maxMemory / PARTS_IN_MEMORY / MIB) * MIB
  const partSize = Math.max(USUAL_PART_SIZE, Math.min(sizeFor(MAX_PARTS_EVERYWHERE), roomy), sizeFor(MAX_PARTS))
  if (partSize > MAX_PART_SIZE) {
    throw new ConfigFailure(`${name} has ${size} bytes, more than S3 takes as one object.`, {
      code: 'too_large',
      advice: 'Split the file.',
    })
  }
  if (partSize > maxMemory) {
    throw new ConfigFailure(`${name} is too large for MAX_MEMORY: S3 takes 10,000 parts, and each must fit into it.`, {
      code: 'too_large',
      advice: `Set MAX_MEMORY to ${partSize / MIB}MiB or more, or split the file.`,
    })
  }
  return partSize
}
