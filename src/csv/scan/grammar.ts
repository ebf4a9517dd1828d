/**
 * The grammar of RFC 4180 section 2 as a table, made tolerant: what breaks a rule is marked and read on from. A
 * bare LF or CR ends a record as CRLF does, and a field may begin with a quote or not.
 */

/** Kinds of bytes. */
export const OTHER = 0
export const DELIMITER = 1
export const QUOTE = 2
export const LF = 3
export const CR = 4
/** How many kinds there are. */
export const KINDS = 5

/** States between two bytes: at the start of a record or a field, within a field, after what may end it. */
export const START = 0
const FIELD = 1
const PLAIN = 2
export const QUOTED = 3
const CLOSED = 4
export const STRAY = 5
export const AFTER_CR = 6
export const QUOTED_CR = 7

/** A delimiter ended a field. */
export const SPLIT = 1
/** A line break ended a record. */
export const RECORD = 1 << 6
/** One of the three rarities below happened, or two records ended in one step. */
export const RARE = 1 << 7
/** The kind of line break that was seen between records. A CR shows its kind at the byte after it. */
export const SAW_LF = 1 << 8
export const SAW_CRLF = 1 << 9
export const SAW_CR = 1 << 10
/** A quote where none may be: the field is read on without quoting, so that one field counts once. */
export const STRAY_QUOTE = 1 << 11
/** A line break inside quotes. */
export const QUOTED_BREAK = 1 << 12
/** A line without a single byte. */
export const BLANK_LINE = 1 << 13

type Rule = readonly [next: number, action: number]

const BLANK = BLANK_LINE | RARE
const WRONG = STRAY_QUOTE | RARE
const BREAK = QUOTED_BREAK | RARE

const SPLITS: Rule = [FIELD, SPLIT]
const ENDS_LF: Rule = [START, RECORD | SAW_LF]
const ENDS_CR: Rule = [AFTER_CR, RECORD]
const BREAKS_CR: Rule = [QUOTED_CR, BREAK]

// biome-ignore format: a table, one row per state
const GRAMMAR: readonly (readonly Rule[])[] = [
  //             other            delimiter                quote             LF                      CR
  /* START     */ [[PLAIN, 0],      SPLITS,                  [QUOTED, 0],      [START, BLANK | SAW_LF], [AFTER_CR, BLANK]],
  /* FIELD     */ [[PLAIN, 0],      SPLITS,                  [QUOTED, 0],      ENDS_LF,                 ENDS_CR],
  /* PLAIN     */ [[PLAIN, 0],      SPLITS,                  [STRAY, WRONG],   ENDS_LF,                 ENDS_CR],
  /* QUOTED    */ [[QUOTED, 0],     [QUOTED, 0],             [CLOSED, 0],      [QUOTED, BREAK],         BREAKS_CR],
  /* CLOSED    */ [[STRAY, WRONG],  SPLITS,                  [QUOTED, 0],      ENDS_LF,                 ENDS_CR],
  /* STRAY     */ [[STRAY, 0],      SPLITS,                  [STRAY, 0],       ENDS_LF,                 ENDS_CR],
  /* AFTER_CR  */ [[PLAIN, SAW_CR], [FIELD, SPLIT | SAW_CR], [QUOTED, SAW_CR], [START, SAW_CRLF],       [AFTER_CR, BLANK | SAW_CR]],
  /* QUOTED_CR */ [[QUOTED, 0],     [QUOTED, 0],             [CLOSED, 0],      [QUOTED, 0],             BREAKS_CR],
]

/** By `state * KINDS + kind`: the state after one byte, and what happened. */
export const NEXT = Uint8Array.from(GRAMMAR.flat(), rule => rule[0])
export const ACTION = Uint16Array.from(GRAMMAR.flat(), rule => rule[1])
