/** What `CSV_CHECK` makes of the faults that were found in files. */

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
 * @throws CsvFailure where a file has a fault.
 */
export function assertNoFaults(
  check: CsvCheck,
  entries: readonly { readonly file: { readonly name: string }; readonly csv?: Checked | Failure | undefined }[],
): void {
  // A run that was told to stop sends nothing, and has not read all: the signal is what ends it.
  const isStopped = entries.some(({ csv }) => csv instanceof InterruptedFailure)
  if (check !== 'strict' || isStopped) return
  const bad = entries.filter(({ csv }) => listFaults(csv).length > 0)
  const [first] = bad
  if (first === undefined) return
  const others = bad.length === 1 ? '' : ` and ${bad.length - 1} more`
  throw new CsvFailure(
    `CSV_CHECK is strict, and ${first.file.name}${others} of ${entries.length} files have faults: nothing was sent.`,
    {
      code: 'csv_refused',
      advice: 'Mend the files, or upload them as they are with CSV_CHECK=warn.',
    },
  )
}
