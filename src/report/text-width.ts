/** How many columns a text takes up on a terminal: some characters take two, some none. */

export type WidthOf = (text: string) => number

/** What measures `texts`. Where all are ASCII it is their length, and the library's tables need not be loaded. */
export async function chooseWidthOf(texts: readonly string[]): Promise<WidthOf> {
  if (texts.every(text => /^[ -~]*$/.test(text))) return ({ length }) => length
  const { default: widthOf } = await import('string-width')
  return widthOf
}
