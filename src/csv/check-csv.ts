/** What `CSV_CHECK` makes of the faults that were found in files. Notes refuse nothing. */

import { CsvFailure, Failure, InterruptedFailure } from '../errors'
import type { CsvFault, CsvShape } from './scan/shape'

/** `off` does not look into files, `warn` tells of faults and uploads, `strict` refuses the run for one bad file. */
export type CsvCheck = 'off' | 'warn' | 'strict'

interface Checked {
  readonly shape: CsvShape | undefined
}

/** What is wrong with a file, as far as it was looked into. */
function listFaults(csv: Checked | Failure | undefined): readonly CsvFault[] {
  return csv === undefined || csv instanceof Failure ? [] : (csv.shape?.faults ?? [])
}

/**
 * For `strict`.
 * @throws CsvFailure if a file has a fault.
 */
export function assertNoFaults(
  check: CsvCheck,
  entries: readonly { readonly file: { readonly name: string }; readonly csv?: Checked | Failure | undefined }[],
): void {
  // A run that was told to stop sends nothing, and has not read all: the signal ends it.
  const isStopped = entries.some(({ csv }) => csv instanceof InterruptedFailure)
  if (check !== 'strict' || isStopped) return
  const bad = entries.filter(({ csv }) => listFaults(csv).length > 0)
  const [first] = bad
  if (first === undefined) return
  const files =
    bad.length === 1
      ? `${first.file.name} has`
      : `${first.file.name} and ${bad.length - 1} more of ${entries.length} files have`
  throw new CsvFailure(`Nothing was uploaded: ${files} CSV faults, and CSV_CHECK is strict.`, {
    code: 'csv_refused',
    advice: `Fix the ${bad.length === 1 ? 'file' : 'files'}, or set CSV_CHECK=warn.`,
  })
}
