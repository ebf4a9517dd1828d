import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { combineCrc32, toBase64, toComposite, toHex } from '../../../src/lib/crc32'

/** As the reader cuts a file: an empty one has one empty part. */
function cut(content: Buffer, partSize: number): number[] {
  const crcs = [crc32(content.subarray(0, partSize))]
  for (let offset = partSize; offset < content.length; offset += partSize) {
    crcs.push(crc32(content.subarray(offset, offset + partSize)))
  }
  return crcs
}

// The check value of CRC-32 in the catalogue of CRCs: https://reveng.sourceforge.io/crc-catalogue/all.htm
const CHECK = 0xcbf43926

test('the check value of CRC-32 as headers carry it', () => assert.equal(toBase64(CHECK), 'y/Q5Jg=='))
test('the check value of CRC-32 as hexadecimal digits', () => assert.equal(toHex(CHECK), 'cbf43926'))
for (const [crc, base64, hex] of [
  [0, 'AAAAAA==', '00000000'],
  [1, 'AAAAAQ==', '00000001'],
  [0xffffffff, '/////w==', 'ffffffff'],
] as const) {
  test(`${crc} keeps all four bytes`, () => assert.deepEqual([toBase64(crc), toHex(crc)], [base64, hex]))
}

describe('toComposite', () => {
  // Python: base64.b64encode(struct.pack('>I', crc32(struct.pack('>II', crc32(b'hello '), crc32(b'world')))))
  test('is the checksum of the checksums of "hello " and "world", and their number', () =>
    assert.equal(toComposite([3984718326, 980881731]), '1Fu2mQ==-2'))
  test('depends on the order of the parts', () => assert.notEqual(toComposite([980881731, 3984718326]), '1Fu2mQ==-2'))
  test('of one part is not the checksum of that part', () =>
    assert.notEqual(toComposite([CHECK]), `${toBase64(CHECK)}-1`))
})

describe('combineCrc32', () => {
  for (const [size, partSize] of [
    [0, 4],
    [1, 4],
    [3, 4],
    [4, 4],
    [5, 4],
    [8, 4],
    [9, 1],
    [1000, 250],
    [1000, 333],
    [1000, 1001],
  ] as const) {
    test(`${size} bytes in parts of ${partSize}`, () => {
      const content = Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + 1) % 256))
      assert.equal(combineCrc32(cut(content, partSize), partSize, size), crc32(content))
    })
  }
  test('of 10,000 parts of 64 MiB, without their bytes: appending zeros is what zlib does to them', () => {
    // All parts are alike, so the whole is one part doubled again and again.
    const partSize = 64 * 1024 * 1024
    const part = crc32(Buffer.alloc(1024))
    let expected = part
    let size = 1024
    while (size < partSize) {
      expected = combineCrc32([expected, expected], size, 2 * size)
      size *= 2
    }
    assert.equal(expected, crc32(Buffer.alloc(partSize)))
    const count = 10_000
    const whole = combineCrc32(new Array(count).fill(expected), partSize, count * partSize)
    const halves = combineCrc32(new Array(count / 2).fill(expected), partSize, (count / 2) * partSize)
    assert.equal(whole, combineCrc32([halves, halves], (count / 2) * partSize, count * partSize))
  })
  test('is the CRC-32 of the whole, however it is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 310 }), (bytes, partSize) => {
        const content = Buffer.from(bytes)
        assert.equal(combineCrc32(cut(content, partSize), partSize, content.length), crc32(content))
      }),
      { numRuns: 500 },
    )
  })
  test('is the CRC-32 of the whole for exact multiples of the part size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(255),
        (partSize, parts, byte) => {
          const content = Buffer.alloc(partSize * parts, byte)
          assert.equal(cut(content, partSize).length, parts)
          assert.equal(combineCrc32(cut(content, partSize), partSize, content.length), crc32(content))
        },
      ),
    )
  })
})
