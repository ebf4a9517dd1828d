/** Small files of every kind, each with its right answer beside it in answers.json. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCsvScanner } from '../../../../src/csv/scan/scan-csv'
import { CSV_FIXTURES, readAnswers } from '../../../support/csv-fixtures'

const ANSWERS = readAnswers()

test('every file has its answer', () => {
  const files = readdirSync(CSV_FIXTURES).filter(name => name.endsWith('.csv'))
  assert.deepEqual(files.sort(), Object.keys(ANSWERS).sort())
})

for (const [name, answer] of Object.entries(ANSWERS)) {
  test(`tells the shape, the faults and the notes of ${name}`, () => {
    const scanner = createCsvScanner()
    scanner.update(readFileSync(join(CSV_FIXTURES, name)))
    const { faults, notes, ...shape } = scanner.end()
    const { faults: rightFaults, notes: rightNotes, ...rightShape } = answer
    assert.deepEqual(shape, rightShape)
    for (const [found, right] of [
      [faults, rightFaults],
      [notes, rightNotes],
    ] as const) {
      assert.deepEqual(
        found.map(({ code }) => code),
        right.map(({ code }) => code),
        JSON.stringify(found),
      )
      right.forEach(({ line, count }, index) => {
        if (line !== undefined) assert.equal(found[index]?.line, line, found[index]?.message)
        if (count !== undefined) assert.equal(found[index]?.count, count, found[index]?.message)
      })
    }
  })
}
