/** CRC-32 as S3 writes and combines it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
import { crc32 } from 'node:zlib'

/** The CRC-32 polynomial with its bits reversed, as zlib has it. */
const POLYNOMIAL = 0xedb88320

/** A CRC-32 as checksum headers carry it: four bytes, big-endian, in base64. */
export function toBase64(crc: number): string {
  return toBytes(crc).toString('base64')
}

/** A CRC-32 as eight hexadecimal digits. */
export function toHex(crc: number): string {
  return toBytes(crc).toString('hex')
}

/** S3's checksum of the parts' checksums, for uploads whose `ChecksumType` is `COMPOSITE`. */
export function toComposite(crcs: readonly number[]): string {
  return `${toBase64(crc32(Buffer.concat(crcs.map(toBytes))))}-${crcs.length}`
}

/**
 * The CRC-32 of a whole from the CRC-32s of its parts, which are all `partSize` bytes long except the last one,
 * without a second look at the bytes: a part is shifted by the zero bytes that stand for what follows it, which in
 * the field of CRC-32 is a multiplication by x^(8 × bytes) (as zlib's crc32_combine does it).
 */
export function combineCrc32(crcs: readonly number[], partSize: number, size: number): number {
  const [first = 0] = crcs
  if (crcs.length === 1) return first
  const shift = powerOfX(partSize * 8)
  const last = crcs.length - 1
  const lastShift = powerOfX((size - last * partSize) * 8)
  return crcs.reduce((whole, crc, index) => (multiply(index === last ? lastShift : shift, whole) ^ crc) >>> 0, 0)
}

function toBytes(crc: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(crc)
  return bytes
}

/** x^exponent modulo the polynomial. The highest bit stands for x^0. */
function powerOfX(exponent: number): number {
  let power = 0x80000000
  let square = 0x40000000
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(square, power)
    square = multiply(square, square)
  }
  return power
}

/** The product of two polynomials modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0
  let term = b
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= term
    term = (term & 1) === 0 ? term >>> 1 : (term >>> 1) ^ POLYNOMIAL
  }
  return product >>> 0
}
