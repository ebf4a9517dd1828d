/** What a person reads below the table: what came of the run, and of which files there is more to say. */

import { MIB } from '../lib/memory'
import { countOf, formatBytes, listSome } from '../lib/text'
import type { FileReport } from './file-report'
import type { Summary } from './summary'

export function describeTotals(summary: Summary): string {
  const { bucket, uploaded, unchanged, kept, failed, dryRun, bytesSent, requests, seconds } = summary
  if (dryRun !== undefined) {
    const { wouldUpload, wouldKeep, unproven } = dryRun
    const keeps = wouldKeep === 0 ? '' : `${wouldKeep} would be kept, `
    const rights = `${unproven.length === 1 ? 'right' : 'rights'} ${unproven.join(' and ')}`
    return `${bucket}: ${wouldUpload} would be uploaded, ${unchanged} unchanged, ${keeps}${failed} would fail. Nothing was written. Only a real run can prove the ${rights}.`
  }
  const keeps = kept === 0 ? '' : `${kept} kept, `
  // A rate of a few small files says nothing but how long a start takes.
  const rate = bytesSent < MIB ? '' : `, ${formatBytes(bytesSent / Math.max(seconds, 0.001))}/s on average`
  return `${bucket}: ${uploaded} uploaded, ${unchanged} unchanged, ${keeps}${failed} failed; ${formatBytes(bytesSent)} sent in ${countOf(requests, 'request')}, ${seconds.toFixed(1)} s${rate}.`
}

/** Each text that files have, once, after their names. */
export function groupFiles(files: readonly FileReport[], textsOf: (file: FileReport) => readonly string[]): string[] {
  const groups = new Map<string, string[]>()
  for (const file of files) {
    for (const text of textsOf(file)) {
      const names = groups.get(text) ?? []
      names.push(file.file)
      groups.set(text, names)
    }
  }
  return [...groups].map(([text, [first = '', ...others]]) =>
    others.length === 0
      ? `${first}: ${text}`
      : `${others.length + 1} files: ${text.replace(/\.$/, '')} (${listSome([first, ...others], 3)}).`,
  )
}

/** What is worth knowing inside of files and refuses nothing: a line for each kind. */
export function describeNotes(files: readonly FileReport[]): string[] {
  const kinds = new Map<string, { readonly first: string; more: number }>()
  for (const { file, notes = [] } of files) {
    for (const { code, message } of notes) {
      const kind = kinds.get(code)
      if (kind === undefined) kinds.set(code, { first: `${file}: ${message}`, more: 0 })
      else kind.more += 1
    }
  }
  return [...kinds.values()].map(({ first, more }) =>
    more === 0 ? first : `${first} The same of ${countOf(more, 'more file')}.`,
  )
}

/** What is wrong inside of files was told when they were read, and may be off the screen by now. */
export function recallFaults(files: readonly FileReport[]): string[] {
  const faulty = files.filter(({ faults = [] }) => faults.length > 0).map(({ file }) => file)
  return faulty.length === 0 ? [] : [`${countOf(faulty.length, 'file')} with CSV faults (${listSome(faulty, 3)})`]
}
