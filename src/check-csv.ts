/** What `CSV_CHECK` makes of the faults that were found in files. */
import type { CsvFile } from './csv-file'
import { CsvFailure, Failure } from './errors'

/** `off` does not look into files, `warn` tells of faults and uploads, `strict` refuses the run for one bad file. */
export type CsvCheck = 'off' | 'warn' | 'strict'

/**
 * For `strict`.
 * @throws CsvFailure where a file has a fault.
 */
export function refuseFaults(
  check: CsvCheck,
  entries: readonly { readonly name: string; readonly csv: CsvFile | Failure }[],
): void {
  if (check !== 'strict') return
  const bad = entries.filter(({ csv }) => !(csv instanceof Failure) && (csv.shape?.faults.length ?? 0) > 0)
  const [first] = bad
  if (first === undefined) return
  const others = bad.length === 1 ? '' : ` and ${bad.length - 1} more`
  throw new CsvFailure(
    `CSV_CHECK is strict, and ${first.name}${others} of ${entries.length} files have faults: nothing was sent.`,
    {
      code: 'csv_refused',
      advice: 'Mend the files, or upload them as they are with CSV_CHECK=warn.',
    },
  )
}
