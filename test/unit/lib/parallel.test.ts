import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { beginInOrder, createSlots, mapParallel } from '../../../src/lib/parallel'
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

describe('beginInOrder', () => {
  test('calls one after the other, while what they began goes on beside', async () => {
    const ends = [defer<string>(), defer<string>(), defer<string>()]
    const begun: number[] = []
    const results = beginInOrder(3, async index => {
      begun.push(index)
      return { ended: ends[index]?.promise ?? Promise.reject(new Error('no such end')) }
    })
    await settled()
    assert.deepEqual(begun, [0, 1, 2])
    for (const [index, text] of ['a', 'b', 'c'].entries()) ends[2 - index]?.resolve(text)
    assert.deepEqual(await results, ['c', 'b', 'a'])
  })

  test('after a rejection makes no further call, and passes it on when all that had begun has ended', async () => {
    const first = defer<number>()
    let hasEnded = false
    const begun: number[] = []
    const results = beginInOrder(5, async index => {
      begun.push(index)
      if (index === 1) throw new Error('refused')
      return { ended: first.promise }
    }).finally(() => {
      hasEnded = true
    })
    await settled()
    assert.deepEqual([begun, hasEnded], [[0, 1], false])
    first.resolve(0)
    await assert.rejects(results, /refused/)
  })
})

describe('slots', () => {
  test('so many tasks run at once, in the order of asking, and a rejection gives its slot back', async () => {
    const take = createSlots(2)
    const ends = Array.from({ length: 4 }, () => defer<void>())
    const begun: number[] = []
    const tasks = ends.map(({ promise }, index) =>
      take(async () => {
        begun.push(index)
        await promise
      }),
    )
    await settled()
    assert.deepEqual(begun, [0, 1])
    ends[1]?.reject(new Error('refused'))
    await assert.rejects(tasks[1] ?? Promise.resolve(), /refused/)
    await settled()
    assert.deepEqual(begun, [0, 1, 2])
    for (const { resolve } of ends) resolve()
    await Promise.all([tasks[0], tasks[2], tasks[3]])
    assert.deepEqual(begun, [0, 1, 2, 3])
  })
})
