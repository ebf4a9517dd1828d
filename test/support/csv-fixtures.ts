/** The small CSV files in test/fixtures/csv, and what is right to say of them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CsvShape } from '../../src/csv/scan/shape'
import { ROOT } from './program'

export const CSV_FIXTURES = join(ROOT, 'test', 'fixtures', 'csv')

interface Finding {
  readonly code: string
  readonly line?: number
  readonly count?: number
}

/** A line or a count that is left out is not asked for. */
interface Answer extends Omit<CsvShape, 'faults' | 'notes'> {
  readonly faults: readonly Finding[]
  readonly notes: readonly Finding[]
}

/** The right answers, by the name of the file. */
export function readAnswers(): Readonly<Record<string, Answer>> {
  return JSON.parse(readFileSync(join(CSV_FIXTURES, 'answers.json'), 'utf8'))
}
