import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createMemory, type Loan, MIB } from '../../../src/lib/memory'
import { settled } from '../../support/deferred'

/** Asks for loans of `sizes` one after the other, and shows which of them were given. */
function ask(bytes: number, sizes: readonly number[], isFar = false) {
  const memory = createMemory(bytes, () => isFar)
  const loans = new Map<number, Loan>()
  const given: number[] = []
  for (const [index, size] of sizes.entries()) {
    memory.borrow(size).then(loan => {
      given.push(index)
      loans.set(index, loan)
    })
  }
  const release = async (index: number) => {
    const loan = loans.get(index)
    assert.ok(loan !== undefined, `loan ${index} is not out`)
    loans.delete(index)
    loan.release()
    await settled()
  }
  return { memory, loans, given, release }
}

test('a loan waits for room, in the order of asking', async () => {
  const { given, release } = ask(8 * MIB, [5 * MIB, 4 * MIB, MIB])
  await settled()
  // The small one would fit, and does not overtake.
  assert.deepEqual(given, [0])
  await release(0)
  assert.deepEqual(given, [0, 1, 2])
})

test('the smallest memory lends all of itself', async () => {
  const { loans } = ask(8 * MIB, [8 * MIB])
  await settled()
  assert.equal(loans.get(0)?.buffer.length, 8 * MIB)
})

test('16 MiB are lent at first, and more as long as the network is slow, up to the bound', async () => {
  const { memory, given } = ask(64 * MIB, Array(20).fill(8 * MIB))
  await settled()
  assert.equal(given.length, 2)
  for (let request = 0; request < 20; request += 1) memory.observe(8 * MIB, 1000)
  await settled()
  assert.equal(given.length, 8)
})

test('for a server that is far, all of the memory is lent from the first moment', async () => {
  const { given } = ask(64 * MIB, Array(20).fill(8 * MIB), true)
  await settled()
  assert.equal(given.length, 8)
})

test('fast requests open no more', async () => {
  const { memory, given } = ask(64 * MIB, Array(20).fill(8 * MIB))
  for (let request = 0; request < 20; request += 1) memory.observe(8 * MIB, 10)
  await settled()
  assert.equal(given.length, 2)
})

test('two large parts fit from the first moment: one is read while the other is sent', async () => {
  const { given } = ask(64 * MIB, Array(4).fill(30 * MIB))
  await settled()
  assert.equal(given.length, 2)
})

test('a buffer is lent again, since fresh memory costs page faults', async () => {
  const { loans, release } = ask(8 * MIB, [8 * MIB, 8 * MIB])
  await settled()
  const first = loans.get(0)?.buffer
  await release(0)
  assert.equal(loans.get(1)?.buffer, first)
})

test('whatever is asked for and given back: everybody gets a buffer of the size asked for, within the bound', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 8 * MIB }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async (wanted, choices) => {
      const { loans, given, release } = ask(8 * MIB, wanted)
      for (let ended = 0; ended < wanted.length; ended += 1) {
        await settled()
        const out = [...loans]
        const lent = out.reduce((sum, [, { buffer }]) => sum + buffer.length, 0)
        assert.ok(lent <= 8 * MIB, `${lent} bytes are lent`)
        for (const [index, { buffer }] of out) assert.equal(buffer.length, wanted[index])
        assert.equal(new Set(out.map(([, { buffer }]) => buffer)).size, out.length)
        const [index] = out[(choices.next().value ?? 0) % out.length] ?? []
        assert.ok(index !== undefined, 'nobody has a loan, and somebody waits')
        await release(index)
      }
      assert.deepEqual(given, [...wanted.keys()])
    }),
    { numRuns: 50 },
  )
})
