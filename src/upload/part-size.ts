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
 * The part size, in bytes, for a file of `size` bytes, in whole MiB. It is the usual one if 1,000 parts are enough. Larger
 * parts, which make 1,000 enough, are taken if four of them fit into `maxMemory` bytes. Otherwise the file goes only to
 * servers that take 10,000, and the part size is the usual one again as long as these are enough.
 * @throws ConfigFailure if a part would not fit into `maxMemory`, or S3 takes no object of that size
 */
export function choosePartSize(name: string, size: number, maxMemory: number): number {
  const sizeFor = (parts: number) => Math.ceil(size / parts / MIB) * MIB
  const forEveryServer = sizeFor(MAX_PARTS_EVERYWHERE)
  const fits = PARTS_IN_MEMORY * forEveryServer <= maxMemory
  const partSize = Math.max(USUAL_PART_SIZE, sizeFor(MAX_PARTS), fits ? forEveryServer : 0)
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
