/** The report for programs: one JSON object a line. docs/events.schema.json describes each event. */
import { Failure } from '../errors'
import type { Report } from './report'

export function reportEvents(emit: (event: string, data: object) => void, trace: Report['trace']): Report {
  return {
    found: (files, { passedOver }) => emit('found', { files, passedOver }),
    bucket: (bucket, bucketOutcome, warnings) => emit('bucket', { bucket, bucketOutcome, warnings }),
    watch: () => {},
    checked: runs => {
      const read = runs.flatMap(({ file, csv }) =>
        csv === undefined || csv instanceof Failure ? [] : [{ file, faults: csv.shape?.faults ?? [] }],
      )
      const bytes = read.reduce((sum, { file }) => sum + file.size, 0)
      const faulty = read.filter(({ faults }) => faults.length > 0)
      emit('read', {
        files: read.length,
        bytes,
        faulty: faulty.map(({ file, faults }) => ({ file: file.name, faults })),
      })
    },
    file: report => emit('file', report),
    summary: async summary => emit('summary', summary),
    trace,
  }
}
