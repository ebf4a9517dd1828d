/** The report for programs: one JSON object a line. docs/events.schema.json describes each event. */
import { Failure } from '../errors'
import { measureProgress } from './progress'
import type { Report } from './report'

const PROGRESS_MS = 5000

export function reportEvents(emit: (event: string, data: object) => void, trace: Report['trace']): Report {
  let ticker: NodeJS.Timeout | undefined
  return {
    found: (run, files, { passedOver }) => emit('found', { run, files, passedOver }),
    bucket: (bucket, bucketOutcome, warnings) => emit('bucket', { bucket, bucketOutcome, warnings }),
    watch: (verb, runs) => {
      clearInterval(ticker)
      const progress = { verb, runs, begun: performance.now() }
      ticker = setInterval(() => emit('progress', { step: verb, ...measureProgress(progress) }), PROGRESS_MS).unref()
    },
    retry: retry => emit('retry', retry),
    checked: runs => {
      clearInterval(ticker)
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
    summary: async summary => {
      clearInterval(ticker)
      emit('summary', summary)
    },
    trace,
  }
}
