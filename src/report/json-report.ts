/** The report for programs: one JSON object a line. docs/events.schema.json describes each event. */
import { listFaults } from '../csv/check-csv'
import type { Report } from './report'

export function reportEvents(emit: (event: string, data: object) => void, trace: Report['trace']): Report {
  return {
    found: (files, { passedOver }) => emit('found', { files, passedOver }),
    bucket: (bucket, bucketOutcome, warnings) => emit('bucket', { bucket, bucketOutcome, warnings }),
    follow: (_verb, _jobs, task) => task,
    read: entries => {
      const sizes = entries.flatMap(({ csv }) => ('size' in csv ? [csv.size] : []))
      const all = entries.map(({ file, csv }) => ({ file: file.name, faults: listFaults(csv) }))
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      emit('read', { files: sizes.length, bytes, faulty: all.filter(({ faults }) => faults.length > 0) })
    },
    file: report => emit('file', report),
    summary: async summary => emit('summary', summary),
    trace,
  }
}
