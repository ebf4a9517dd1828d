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

/** Lines at the bottom of a terminal that are drawn over and over. */
export interface LiveLines {
  /** The first of `lines` that fit, each cut to the width of the terminal. */
  draw(lines: readonly string[]): void
  /** Takes them away, before something else is printed. */
  clear(): void
}

/** `undefined` where `output` is no terminal, or one without a size (as some containers have it). */
export async function openLiveLines(output: Output): Promise<LiveLines | undefined> {
  if (output.isTTY !== true || !output.columns) return undefined
  const [{ createLogUpdate }, { default: cutToWidth }] = await Promise.all([
    import('log-update'),
    import('cli-truncate'),
  ])
  const update = createLogUpdate(output as NodeJS.WriteStream, { showCursor: true })
  return {
    draw: lines => {
      const { columns = 80, rows = 24 } = output
      const visible = lines.slice(0, Math.max(rows - 1, 1)).map(line => cutToWidth(line, columns - 1))
      update(visible.join('\n'))
    },
    clear: () => update.clear(),
  }
}
