/** An edit that neither the size nor the time of a file tells. */
import { closeSync, openSync, utimesSync, writeSync } from 'node:fs'

/** The time to give the file before: in whole seconds, so that it can be set again to the nanosecond. */
export const TIME = 1_000_000_000

/** Writes `text` over what the file has at `offset`, in place, and gives it its old time again. */
export function editUnseen(path: string, offset: number, text = '~'): void {
  const file = openSync(path, 'r+')
  writeSync(file, text, offset)
  closeSync(file)
  utimesSync(path, TIME, TIME)
}
