/** Text from outside, made fit for a terminal or a log. */
import { stripVTControlCharacters } from 'node:util'

/** File names and servers' messages must not steer the terminal: what controls it is left out or shown as its code. */
export function printable(text: string): string {
  return escapeControls(stripVTControlCharacters(text))
}

/** As JSON escapes them, and as a person can tell them. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    character => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
