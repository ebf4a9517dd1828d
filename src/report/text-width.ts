/** How many columns a text takes up on a terminal: some characters take two, some none. */

export type WidthOf = (text: string) => number

/** What measures `texts`. If all are ASCII the width is their length, and the library's tables need not be loaded. */
export async function chooseWidthOf(texts: readonly string[]): Promise<WidthOf> {
  if (texts.every(text => /^[ -~]*$/.test(text))) return ({ length }) => length
  const { default: widthOf } = await import('string-width')
  return widthOf
}
