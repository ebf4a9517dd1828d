import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mapParallel } from '../../../src/lib/parallel'
import { type Deferred, defer, settled } from '../../support/deferred'

/** `count` items, each a task that ends when told. */
function start(count: number, width: number) {
  const begun: number[] = []
  const ends: Deferred<string>[] = Array.from({ length: count }, () => defer<string>())
  const result = mapParallel(ends, width, (end, index) => {
    begun.push(index)
    return end.promise
  })
  let outcome: unknown = 'pending'
  result.then(
    () => {
      outcome = 'done'
    },
    reason => {
      outcome = reason
    },
  )
  const resolve = (index: number) => {
    ends[index]?.resolve(`result ${index}`)
    return settled()
  }
  const reject = (index: number) => {
    ends[index]?.reject(`failure ${index}`)
    return settled()
  }
  return { begun, result, outcome: () => outcome, resolve, reject }
}

test('results are in the order of the items, not of the ends', async () => {
  const { result, resolve } = start(3, 3)
  for (const index of [2, 0, 1]) await resolve(index)
  assert.deepEqual(await result, ['result 0', 'result 1', 'result 2'])
})

test('width tasks run at once, and the next begins as soon as one ends', async () => {
  const { begun, resolve, outcome } = start(4, 2)
  assert.deepEqual(begun, [0, 1])
  await resolve(1)
  assert.deepEqual(begun, [0, 1, 2])
  await resolve(2)
  assert.deepEqual(begun, [0, 1, 2, 3])
  await resolve(3)
  assert.equal(outcome(), 'pending')
  await resolve(0)
  assert.equal(outcome(), 'done')
})

test('nothing to do ends at once', async () => assert.deepEqual(await mapParallel([], 4, assert.fail), []))

test('a task is given its item and its index', async () =>
  assert.deepEqual(await mapParallel(['a', 'b'], 9, async (item, index) => `${item}${index}`), ['a0', 'b1']))

test('a result may be undefined', async () =>
  assert.deepEqual(await mapParallel([1, 2], 1, async () => undefined), [undefined, undefined]))

test('after a rejection nothing new begins, and it is passed on once all that was begun has ended', async () => {
  const { begun, outcome, resolve, reject } = start(6, 3)
  await reject(1)
  assert.equal(outcome(), 'pending')
  await resolve(0)
  assert.deepEqual(begun, [0, 1, 2])
  assert.equal(outcome(), 'pending')
  await resolve(2)
  assert.deepEqual(begun, [0, 1, 2])
  assert.equal(outcome(), 'failure 1')
})

test('of several rejections the one that came first is passed on', async () => {
  const { outcome, reject } = start(3, 3)
  await reject(2)
  await reject(0)
  await reject(1)
  assert.equal(outcome(), 'failure 2')
})

test('a task that throws at once counts as a rejection', async () => {
  const begun: number[] = []
  const result = mapParallel([0, 1, 2], 1, item => {
    begun.push(item)
    throw new Error('no')
  })
  await assert.rejects(result, { message: 'no' })
  assert.deepEqual(begun, [0])
})

test('order, width and completeness hold for any number of items that end in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(12),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat(100)),
      async (count, width, picks) => {
        const { begun, result, resolve } = start(count, width)
        const ended = new Set<number>()
        while (ended.size < count) {
          const running = begun.filter(index => !ended.has(index))
          assert.equal(running.length, Math.min(width, count - ended.size))
          const picked = running[(picks.next().value ?? 0) % running.length]
          assert.ok(picked !== undefined)
          ended.add(picked)
          await resolve(picked)
        }
        assert.deepEqual(begun, [...begun.keys()])
        assert.deepEqual(
          await result,
          Array.from({ length: count }, (_, index) => `result ${index}`),
        )
      },
    ),
  )
})
