/** What `strict` refuses, and in what words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoFaults } from '../../../src/csv/check-csv'
import type { CsvContent } from '../../../src/csv/read-csv'
import { CsvFailure, InterruptedFailure } from '../../../src/errors'

const FAULT = { code: 'cut_off', message: 'The last row (line 3) is cut off.' }
const NOTE = { code: 'empty_rows', message: '1 row of only empty fields.' }

function read(name: string, faults: readonly object[], notes: readonly object[] = []) {
  return { file: { name }, csv: { shape: { faults, notes } } as unknown as CsvContent }
}

test('one file with a fault refuses the run, and is named', () => {
  assert.throws(
    () => assertNoFaults('strict', [read('good.csv', []), read('bad.csv', [FAULT])]),
    new CsvFailure('Nothing was uploaded: bad.csv has CSV faults, and CSV_CHECK is strict.', {
      code: 'csv_refused',
      advice: 'Fix the file, or set CSV_CHECK=warn.',
    }),
  )
})

test('of several files with faults the first is named, and the others counted', () => {
  assert.throws(
    () =>
      assertNoFaults('strict', [
        read('a.csv', [FAULT]),
        read('b.csv', [FAULT]),
        read('c.csv', []),
        read('d.csv', [FAULT]),
      ]),
    /^CsvFailure: Nothing was uploaded: a\.csv and 2 more of 4 files have CSV faults/,
  )
})

test('a note refuses nothing', () => {
  assertNoFaults('strict', [read('a.csv', [], [NOTE])])
})

test('warn refuses nothing', () => {
  assertNoFaults('warn', [read('a.csv', [FAULT])])
})

test('a run that was told to stop while it read is not refused for a fault: the signal is its end', () => {
  assertNoFaults('strict', [read('a.csv', [FAULT]), { file: { name: 'b.csv' }, csv: new InterruptedFailure('SIGINT') }])
})
