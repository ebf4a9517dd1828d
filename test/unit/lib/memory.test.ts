import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBudget } from '../../../src/lib/memory'
import { type Deferred, defer, settled } from '../../support/deferred'

/** A task that has begun and ends when told. */
interface Running {
  readonly index: number
  readonly buffer: Buffer
  readonly end: Deferred<void>
}

/** Asks for tasks of `sizes`, and shows which of them run. */
function ask(slots: number, bytes: number, sizes: readonly number[]) {
  const budget = createBudget(slots, bytes)
  const running = new Map<number, Running>()
  const begun: number[] = []
  const results = sizes.map((size, index) =>
    budget.run(size, async buffer => {
      const end = defer<void>()
      begun.push(index)
      running.set(index, { index, buffer, end })
      await end.promise.finally(() => running.delete(index))
      return index
    }),
  )
  const end = async (index: number) => {
    const task = running.get(index)
    assert.ok(task !== undefined, `task ${index} does not run`)
    task.end.resolve()
    await settled()
  }
  return { budget, running, begun, results, end }
}

test('the bounds can be read', () => {
  const { slots, bytes } = createBudget(7, 100)
  assert.deepEqual([slots, bytes], [7, 100])
})

test('no more tasks than slots run at once', async () => {
  const { begun, end, results } = ask(2, 100, [1, 1, 1, 1])
  await settled()
  assert.deepEqual(begun, [0, 1])
  await end(1)
  assert.deepEqual(begun, [0, 1, 2])
  await end(0)
  await end(2)
  await end(3)
  assert.deepEqual(await Promise.all(results), [0, 1, 2, 3])
})

test('no more memory than there is is lent at once, to the byte', async () => {
  const { begun, end } = ask(10, 100, [60, 40, 1])
  await settled()
  assert.deepEqual(begun, [0, 1])
  await end(1)
  assert.deepEqual(begun, [0, 1, 2])
})

test('a small task does not overtake a large one that waits for memory', async () => {
  const { begun, end } = ask(10, 100, [60, 100, 1])
  await settled()
  assert.deepEqual(begun, [0])
  await end(0)
  assert.deepEqual(begun, [0, 1])
  await end(1)
  assert.deepEqual(begun, [0, 1, 2])
})

test('a task without a buffer still needs a slot', async () => {
  const { begun, end } = ask(1, 100, [0, 0])
  await settled()
  assert.deepEqual(begun, [0])
  await end(0)
  assert.deepEqual(begun, [0, 1])
})

for (const [kind, fail] of [
  ['rejects', () => Promise.reject(new Error('no'))],
  [
    'throws at once',
    () => {
      throw new Error('no')
    },
  ],
] as const) {
  test(`a task that ${kind} passes its error on and frees its slot and its memory`, async () => {
    const budget = createBudget(1, 10)
    await assert.rejects(budget.run(10, fail), { message: 'no' })
    assert.equal(await budget.run(10, async buffer => buffer.length), 10)
  })
}

test('a buffer that was given back is lent again for the same size, with what was in it', async () => {
  const budget = createBudget(2, 100)
  const first = await budget.run(50, async buffer => buffer.fill(7))
  const second = await budget.run(50, async buffer => buffer)
  assert.equal(second, first)
  assert.equal(second[49], 7)
})

test('a buffer is not lent to two tasks at once', async () => {
  const { running } = ask(3, 90, [30, 30, 30])
  await settled()
  assert.equal(new Set([...running.values()].map(task => task.buffer)).size, 3)
})

test('a buffer of another size is a new one, of that size', async () => {
  const budget = createBudget(1, 100)
  await budget.run(100, async () => undefined)
  assert.equal(await budget.run(99, async buffer => buffer.length), 99)
})

const MIB = 1024 * 1024

/** The most bytes that are lent at once to 40 parts of 8 MiB, each of which takes `ms` of the clock. */
async function countLent(ms: number): Promise<number> {
  let now = 0
  let lent = 0
  let most = 0
  const budget = createBudget(100, 64 * MIB, () => now)
  const send = async (buffer: Buffer) => {
    lent += buffer.length
    most = Math.max(most, lent)
    await settled()
    now += ms
    lent -= buffer.length
  }
  await Promise.all(Array.from({ length: 40 }, () => budget.run(8 * MIB, send)))
  return most
}

test('where parts go out fast, no more memory is lent than keeps the network busy', async () =>
  assert.equal(await countLent(1), 16 * MIB))

test('where they wait for the network, more are sent at once, up to the bound', async () =>
  assert.equal(await countLent(1000), 64 * MIB))

test('a task that needs more than is lent at first is run all the same, alone', async () => {
  const { begun, end } = ask(10, 64 * MIB, [32 * MIB, 1])
  await settled()
  assert.deepEqual(begun, [0])
  await end(0)
  assert.deepEqual(begun, [0, 1])
})

test('slots, memory, order and the sizes of buffers hold for any tasks that end in any order', async () => {
  const tasks = fc.integer({ min: 1, max: 40 }).chain(bytes =>
    fc.record({
      bytes: fc.constant(bytes),
      slots: fc.integer({ min: 1, max: 5 }),
      sizes: fc.array(fc.integer({ min: 0, max: bytes }), { maxLength: 12 }),
      picks: fc.infiniteStream(fc.nat(100)),
    }),
  )
  await fc.assert(
    fc.asyncProperty(tasks, async ({ bytes, slots, sizes, picks }) => {
      const { running, begun, results, end } = ask(slots, bytes, sizes)
      for (let ended = 0; ; ended += 1) {
        await settled()
        const now = [...running.values()]
        const lent = now.reduce((sum, task) => sum + task.buffer.length, 0)
        assert.ok(now.length <= slots, `${now.length} tasks run`)
        assert.ok(lent <= bytes, `${lent} bytes are lent`)
        assert.equal(new Set(now.map(task => task.buffer)).size, now.length)
        for (const { index, buffer } of now) assert.equal(buffer.length, sizes[index])
        assert.deepEqual(begun, [...begun.keys()])
        // Nothing waits that could run.
        const next = sizes[begun.length]
        assert.ok(next === undefined || now.length === slots || lent + next > bytes, 'a task waits for nothing')
        const picked = now[(picks.next().value ?? 0) % Math.max(now.length, 1)]
        if (picked === undefined) {
          assert.equal(ended, sizes.length)
          break
        }
        await end(picked.index)
      }
      assert.deepEqual(await Promise.all(results), [...sizes.keys()])
    }),
  )
})
