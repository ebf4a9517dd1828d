/** How a file is cut into the parts of a multipart upload. */
import { ConfigFailure } from '../errors'

const MIB = 1024 * 1024

/** Parts this small keep many in flight, and this large keep requests few. */
const USUAL_PART_SIZE = 8 * MIB

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000
const MAX_PART_SIZE = 5 * 1024 * MIB

/**
 * The part size, in bytes, for a file of `size` bytes: the usual one, or for a larger file the smallest whole number
 * of MiB with which 10,000 parts are enough. A file no larger than its part size is sent as one object.
 * @throws ConfigFailure where a part would not fit into `maxMemory` bytes, or S3 takes no object of that size.
 */
export function choosePartSize(name: string, size: number, maxMemory: number): number {
  const partSize = Math.max(USUAL_PART_SIZE, Math.ceil(size / MAX_PARTS / MIB) * MIB)
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
