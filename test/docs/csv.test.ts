/** docs/csv.md and the fixtures know every fault and every note that the JSON may hold. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { CsvFaultCode, CsvNoteCode } from '../../src/csv/scan/shape'
import { readAnswers } from '../support/csv-fixtures'
import { ROOT } from '../support/program'

const TEXT = readFileSync(join(ROOT, 'docs', 'csv.md'), 'utf8')
const SCHEMA = JSON.parse(readFileSync(join(ROOT, 'docs', 'events.schema.json'), 'utf8'))

// A record needs every code of the type, and the compiler refuses one that is no code.
const FAULTS: Record<CsvFaultCode, true> = {
  ...{ empty: true, not_csv: true, header_only: true, title_above_header: true, excel_sep: true },
  ...{ duplicate_header: true, blank_header: true, ragged_rows: true, cut_off: true, unclosed_quote: true },
  ...{ stray_quote: true, backslash_quotes: true, nul_bytes: true, ctrl_z: true, invalid_utf8: true },
  ...{ invalid_utf16: true, invalid_utf32: true, mixed_line_ends: true },
}
const NOTES: Record<CsvNoteCode, true> = {
  ...{ wide_encoding: true, extra_byte_order_mark: true, replacement_characters: true, mojibake: true },
  ...{ blank_first_name: true, similar_names: true, repeated_header: true, quoted_line_breaks: true },
  ...{ backslash_before_quote: true, empty_rows: true, only_delimiters: true },
}

for (const [title, kind, codes] of [
  ['Faults', 'faults', Object.keys(FAULTS)],
  ['Notes', 'notes', Object.keys(NOTES)],
] as const) {
  describe(title, () => {
    test('the document has a row for each, and no other', () => {
      const section = TEXT.split(/^## /m).find(text => text.startsWith(title)) ?? ''
      const rows = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, code]) => code)
      assert.deepEqual(rows.sort(), [...codes].sort())
    })
    test('the schema names each, and no other', () => {
      assert.deepEqual([...SCHEMA.$defs[kind].items.properties.code.enum].sort(), [...codes].sort())
    })
    test('a fixture has each', () => {
      const seen = new Set(Object.values(readAnswers()).flatMap(answer => answer[kind].map(({ code }) => code)))
      assert.deepEqual([...seen].sort(), [...codes].sort())
    })
  })
}
