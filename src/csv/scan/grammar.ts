/**
 * The grammar of RFC 4180 section 2 as a table, made tolerant: what breaks a rule is marked, and reading goes on. A bare
 * LF or CR ends a record as CRLF does, and a field may begin with a quote or not. This is the only place that knows the
 * grammar: the sample of a file, the loop in records.ts and the one in skip-common.wat all read by this table.
 *
 * If you change the table: the fast half of skip-common.wat decides by bit masks which blocks of 64 bytes need no table.
 * It must go on to stop at whatever it does not count itself. The property tests compare it with csv-parse.
 */

/** Kinds of bytes. */
export const OTHER = 0
const DELIMITER = 1
const QUOTE = 2
const LF = 3
const CR = 4
/** A backslash, in a file that escapes quotes by it. */
const ESCAPE = 5
/** Entries of the table for one state: a power of two that is not less than the number of kinds. */
export const KINDS = 8

/** States between two bytes. At the start of a record; "void" ones: it holds only delimiters and quotes so far. */
export const START = 0
export const VOID = 1
/** At the start of another field. */
export const FIELD = 2
export const PLAIN = 3
export const QUOTED = 4
/** Behind a quote within quotes: it closed the field, or is the first of two. */
export const CLOSED = 5
export const VOID_QUOTED = 6
export const VOID_CLOSED = 7
/** In a field with a quote where none may be: read on without quoting, so that one field counts once. */
export const STRAY = 8
export const AFTER_CR = 9
export const QUOTED_CR = 10
const ESCAPED = 11
const STATES = 12

/** What a byte can do. A delimiter ended a field. */
export const SPLIT = 1 << 0
/** A line break ended a record. */
export const RECORD = 1 << 1
/** A line without a single byte. */
const BLANK_LINE = 1 << 2
/** A line break within quotes. */
export const QUOTED_BREAK = 1 << 3
export const STRAY_QUOTE = 1 << 4
/** The record that ended has only empty fields. */
export const EMPTY_ROW = 1 << 5
/** A quote opened a field. */
export const OPENING = 1 << 6
/** The kind of line break that was seen between records. A CR shows its kind at the byte after it. */
export const SAW_LF = 1 << 7
export const SAW_CRLF = 1 << 8
export const SAW_CR = 1 << 9

/** What goes on in the next physical line. */
export const NEW_LINE = RECORD | BLANK_LINE | QUOTED_BREAK
/** Where a record may begin. */
export const OUTSIDE_BREAK = RECORD | BLANK_LINE

type Rule = readonly [next: number, action: number]

const SPLITS: Rule = [FIELD, SPLIT]
const VOIDS: Rule = [VOID, SPLIT]
const OPENS: Rule = [QUOTED, OPENING]
const OPENS_VOID: Rule = [VOID_QUOTED, OPENING]
const STRAYS: Rule = [STRAY, STRAY_QUOTE]
const ENDS_LF: Rule = [START, RECORD | SAW_LF]
const ENDS_CR: Rule = [AFTER_CR, RECORD]
const EMPTY_LF: Rule = [START, RECORD | EMPTY_ROW | SAW_LF]
const EMPTY_CR: Rule = [AFTER_CR, RECORD | EMPTY_ROW]
const BLANK_LF: Rule = [START, BLANK_LINE | SAW_LF]
const BLANK_CR: Rule = [AFTER_CR, BLANK_LINE]
const BREAKS: Rule = [QUOTED, QUOTED_BREAK]
const BREAKS_CR: Rule = [QUOTED_CR, QUOTED_BREAK]
const afterCr = ([next, action]: Rule): Rule => [next, action | SAW_CR]

// biome-ignore format: a table, one row per state
const GRAMMAR: readonly (readonly Rule[])[] = [
  //               other               delimiter       quote                LF                 CR                 backslash
  /* START       */ [[PLAIN, 0],         VOIDS,          OPENS_VOID,          BLANK_LF,          BLANK_CR,          [PLAIN, 0]],
  /* VOID        */ [[PLAIN, 0],         VOIDS,          OPENS_VOID,          EMPTY_LF,          EMPTY_CR,          [PLAIN, 0]],
  /* FIELD       */ [[PLAIN, 0],         SPLITS,         OPENS,               ENDS_LF,           ENDS_CR,           [PLAIN, 0]],
  /* PLAIN       */ [[PLAIN, 0],         SPLITS,         STRAYS,              ENDS_LF,           ENDS_CR,           [PLAIN, 0]],
  /* QUOTED      */ [[QUOTED, 0],        [QUOTED, 0],    [CLOSED, 0],         BREAKS,            BREAKS_CR,         [ESCAPED, 0]],
  /* CLOSED      */ [STRAYS,             SPLITS,         [QUOTED, 0],         ENDS_LF,           ENDS_CR,           STRAYS],
  /* VOID_QUOTED */ [[QUOTED, 0],        [QUOTED, 0],    [VOID_CLOSED, 0],    BREAKS,            BREAKS_CR,         [ESCAPED, 0]],
  /* VOID_CLOSED */ [STRAYS,             VOIDS,          [QUOTED, 0],         EMPTY_LF,          EMPTY_CR,          STRAYS],
  /* STRAY       */ [[STRAY, 0],         SPLITS,         [STRAY, 0],          ENDS_LF,           ENDS_CR,           [STRAY, 0]],
  /* AFTER_CR    */ [afterCr([PLAIN, 0]), afterCr(VOIDS), afterCr(OPENS_VOID), [START, SAW_CRLF], afterCr(BLANK_CR), afterCr([PLAIN, 0])],
  /* QUOTED_CR   */ [[QUOTED, 0],        [QUOTED, 0],    [CLOSED, 0],         [QUOTED, 0],       BREAKS_CR,         [ESCAPED, 0]],
  /* ESCAPED     */ [[QUOTED, 0],        [QUOTED, 0],    [QUOTED, 0],         BREAKS,            BREAKS_CR,         [QUOTED, 0]],
]

/** By `state * KINDS + kind`: the state after one byte, and what it did. */
export const NEXT = new Uint8Array(STATES * KINDS)
export const ACTION = new Uint16Array(STATES * KINDS)
GRAMMAR.forEach((rules, state) => {
  rules.forEach(([next, action], kind) => {
    NEXT[state * KINDS + kind] = next
    ACTION[state * KINDS + kind] = action
  })
})

/** What a file's dialect adds to the grammar. */
export interface Dialect {
  /** The byte that ends a field. */
  readonly delimiter: number
  /** Whether a backslash in quotes escapes the next character, as Spark writes it. */
  readonly escapes: boolean
}

/** By delimiter and escapes: made anew for each small file, these tables cost more than the reading. */
const tables = new Map<number, Uint8Array>()

/** The kinds of bytes, by the byte. */
export function listKinds({ delimiter, escapes }: Dialect): Uint8Array {
  const key = escapes ? 256 + delimiter : delimiter
  const known = tables.get(key)
  if (known !== undefined) return known
  const kinds = new Uint8Array(256).fill(OTHER)
  tables.set(key, kinds)
  if (escapes) kinds[0x5c] = ESCAPE
  kinds[delimiter] = DELIMITER
  kinds[0x22] = QUOTE
  kinds[0x0a] = LF
  kinds[0x0d] = CR
  return kinds
}

/** Whether the quotes that were opened are still open. */
export function isOpen(state: number): boolean {
  return state === QUOTED || state === VOID_QUOTED || state === QUOTED_CR || state === ESCAPED
}

/** Whether a record has begun and not ended. */
export function isWithinRecord(state: number): boolean {
  return state !== START && state !== AFTER_CR
}

export type LineEnd = 'lf' | 'crlf' | 'cr'

const LINE_ENDS: readonly (readonly [flag: number, LineEnd])[] = [
  [SAW_LF, 'lf'],
  [SAW_CRLF, 'crlf'],
  [SAW_CR, 'cr'],
]

/** The line breaks between records, by the `SAW_…` flags. */
export function listLineEnds(seen: number): LineEnd[] {
  return LINE_ENDS.filter(([flag]) => (seen & flag) !== 0).map(([, lineEnd]) => lineEnd)
}
