import * as grammar from './grammar'

export type LineEnd = 'lf' | 'crlf' | 'cr'

/** The line breaks between records, by the flags of the grammar that were seen. */
export function listLineEnds(seen: number): LineEnd[] {
  const all = [
    [grammar.SAW_LF, 'lf'],
    [grammar.SAW_CRLF, 'crlf'],
    [grammar.SAW_CR, 'cr'],
  ] as const
  return all.flatMap(([flag, lineEnd]) => ((seen & flag) !== 0 ? [lineEnd] : []))
}
