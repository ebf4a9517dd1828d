import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigFailure } from '../../../src/errors'
import { choosePartSize } from '../../../src/upload/part-size'
import { catchFailure } from '../../support/failure'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const TIB = 1024 * GIB

for (const size of [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, GIB, 1000 * 8 * MIB]) {
  test(`${size} bytes are cut into parts of 8 MiB`, () =>
    assert.equal(choosePartSize('a.csv', size, 64 * MIB), 8 * MIB))
}

for (const [size, partSize, why] of [
  [1000 * 8 * MIB + 1, 9 * MIB, '1,000 parts are enough'],
  [1000 * 16 * MIB, 16 * MIB, '1,000 parts are enough'],
  [1000 * 16 * MIB + 1, 8 * MIB, 'four that make 1,000 enough do not fit into MAX_MEMORY'],
  [10_000 * 8 * MIB, 8 * MIB, 'S3 takes 10,000 parts'],
  [10_000 * 8 * MIB + 1, 9 * MIB, 'S3 takes 10,000 parts'],
  [625 * GIB, 64 * MIB, 'S3 takes 10,000 parts'],
] as const) {
  test(`${size} bytes are cut into parts of ${partSize}: ${why}`, () =>
    assert.equal(choosePartSize('a.csv', size, 64 * MIB), partSize))
}

test('with little memory parts stay small', () => {
  assert.equal(choosePartSize('a.csv', 20 * GIB, 16 * MIB), 8 * MIB)
  assert.equal(choosePartSize('a.csv', 20 * GIB, 256 * MIB), 21 * MIB)
})

test('one byte more than 625 GiB is refused at 64 MiB, with the file and the MAX_MEMORY it needs', () => {
  const failure = catchFailure(() => choosePartSize('big.csv', 625 * GIB + 1, 64 * MIB))
  assert.ok(failure instanceof ConfigFailure)
  assert.deepEqual([failure.code, failure.exitCode], ['too_large', 2])
  assert.match(failure.message, /^big\.csv is too large for MAX_MEMORY/)
  assert.match(failure.advice, /^Set MAX_MEMORY to 65MiB or more/)
})

test('S3 takes 10,000 parts of 5 GiB as one object, and not a byte more whatever the memory', () => {
  assert.equal(choosePartSize('a.csv', 10_000 * 5 * GIB, 5 * GIB), 5 * GIB)
  const failure = catchFailure(() => choosePartSize('a.csv', 10_000 * 5 * GIB + 1, 100 * GIB))
  assert.ok(failure instanceof ConfigFailure)
  assert.equal(failure.code, 'too_large')
  assert.doesNotMatch(failure.advice, /MAX_MEMORY/)
})

test('10,000 parts are always enough and fit into the memory, or the MAX_MEMORY that is named works', () => {
  const size = fc.oneof(
    fc.nat(100 * MIB),
    fc.maxSafeNat().map(bytes => bytes % (48 * TIB)),
  )
  const memory = fc.oneof(
    fc.integer({ min: 8 * MIB, max: 80 * MIB }),
    fc.integer({ min: 8, max: 6000 }).map(n => n * MIB),
  )
  const holds = (bytes: number, maxMemory: number) => {
    const partSize = choosePartSize('a.csv', bytes, maxMemory)
    assert.ok(Math.ceil(bytes / partSize) <= 10_000)
    assert.ok(partSize <= maxMemory)
    assert.ok(partSize >= 8 * MIB && partSize <= 5 * GIB)
    // The reader's chunks never straddle two parts.
    assert.equal(partSize % MIB, 0)
  }
  let refused = 0
  fc.assert(
    fc.property(size, memory, (bytes, maxMemory) => {
      try {
        holds(bytes, maxMemory)
      } catch (error) {
        if (!(error instanceof ConfigFailure)) throw error
        refused += 1
        const named = Number(/MAX_MEMORY to (\d+)MiB/.exec(error.advice)?.[1]) * MIB
        assert.ok(named > maxMemory)
        holds(bytes, named)
        assert.throws(() => choosePartSize('a.csv', bytes, named - 1), ConfigFailure)
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(refused > 50, `only ${refused} refusals were looked at`)
})
