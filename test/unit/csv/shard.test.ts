import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { takeShare } from '../../../src/csv/shard'

const files = fc
  .uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 50 })
  .map(names => names.map(name => ({ name })))
const shares = (all: readonly { readonly name: string }[], count: number) =>
  Array.from({ length: count }, (_, index) => takeShare(all, { index, count }))

test('n shares cover every file once and only once', () => {
  fc.assert(
    fc.property(files, fc.integer({ min: 1, max: 20 }), (all, count) => {
      const taken = shares(all, count).flat()
      assert.equal(taken.length, all.length)
      assert.deepEqual(new Set(taken), new Set(all))
    }),
  )
})

test('which share a file is in does not depend on the other files, their order or its Unicode form', () => {
  fc.assert(
    fc.property(files, fc.integer({ min: 1, max: 20 }), (all, count) => {
      for (const [index, share] of shares(all, count).entries()) {
        for (const { name } of share) {
          assert.equal(takeShare([{ name: name.normalize('NFD') }], { index, count }).length, 1)
        }
      }
    }),
  )
})

test('names that differ in a digit are spread evenly', () => {
  const all = Array.from({ length: 10_000 }, (_, index) => ({ name: `part-${index}.csv` }))
  for (const share of shares(all, 4)) assert.ok(Math.abs(share.length - 2500) < 250, String(share.length))
})

test('the shares stay what they were in an earlier version', () => {
  const all = ['movies.csv', 'series.csv', 'sub/deep.csv', 'séries.csv'].map(name => ({ name }))
  assert.deepEqual(
    shares(all, 3).map(share => share.map(({ name }) => name)),
    [['series.csv'], ['sub/deep.csv', 'séries.csv'], ['movies.csv']],
  )
})

test('without a shard all files are taken', () => assert.equal(takeShare([{ name: 'a' }], undefined).length, 1))
