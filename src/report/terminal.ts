/** What only a terminal can do: colours, and lines that are drawn again in place. */
import { styleText } from 'node:util'

/** A stream that may be a terminal. */
export interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  /** Node's own: looks at `NO_COLOR`, `FORCE_COLOR` and `TERM`. */
  hasColors?(): boolean
}

export type Paint = (colour: 'red' | 'yellow' | 'green' | 'dim', text: string) => string

/** @param forced whether to colour also what is no terminal */
export function choosePaint(output: Output, forced: boolean): Paint {
  const isColoured = output.isTTY === true ? (output.hasColors?.() ?? false) : forced
  return (colour, text) => (isColoured ? styleText(colour, text, { validateStream: false }) : text)
}

/** Breaks a text between its words, since a terminal would break it anywhere. Without a terminal lines stay whole. */
export async function chooseWrap(output: Output): Promise<(text: string) => string> {
  if (output.isTTY !== true || !output.columns) return text => text
  const { default: wrapBetweenWords } = await import('wrap-ansi')
  return text => wrapBetweenWords(text, output.columns ?? 80)
}

/** Lines at the bottom of a terminal that are drawn over and over. */
export interface LiveLines {
  /** The head and as many of the `lines` as fit, each cut to the width of the terminal. */
  draw(head: string, lines: readonly string[]): void
  /** Takes them away, before something else is printed. */
  clear(): void
}

/** `undefined` if `output` is no terminal, or one without a size (as some containers have it). */
export async function openLiveLines(output: Output): Promise<LiveLines | undefined> {
  if (output.isTTY !== true || !output.columns) return undefined
  const [{ createLogUpdate }, { default: cutToWidth }, wrap] = await Promise.all([
    import('log-update'),
    import('cli-truncate'),
    chooseWrap(output),
  ])
  const update = createLogUpdate(output as NodeJS.WriteStream, { showCursor: true })
  return {
    draw: (head, lines) => {
      const { columns = 80, rows = 24 } = output
      const all = [...wrap(head).split('\n'), ...lines.map(line => cutToWidth(line, columns - 1))]
      update(all.slice(0, Math.max(rows - 1, 1)).join('\n'))
    },
    clear: () => update.clear(),
  }
}
