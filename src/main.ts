#!/usr/bin/env node
import type { Config } from './config/config'
import { readConfig, readEnvironment } from './config/environment'
import { refuseFaults } from './csv/check-csv'
import { findCsv } from './csv/find-csv'
import { READERS, readCsv } from './csv/read-csv'
import { takeShare } from './csv/shard'
import { settle, settleUntilRefused, unwrap } from './errors'
import { buildKey, refuseCollisions } from './key/build-key'
/** The job, top to bottom: connect, createBucket, readCsv, buildKey, putObject. */
import { createBudget } from './lib/memory'
import { mapParallel } from './lib/parallel'
import { type Passage, reportFile } from './report/file-report'
import { createReport, type Report } from './report/report'
import { type Summary, summarize, summarizeEnd } from './report/summary'
import { connect } from './s3/connect'
import { createBucket } from './s3/create-bucket'
import { listExisting, NOTHING } from './s3/objects'
import { startTally } from './s3/request'
import { listenForStop } from './stop-signal'
import { writeManifest } from './upload/manifest'
import { putObject } from './upload/put-object'

async function upload(config: Config, report: Report, stop: AbortSignal): Promise<Summary> {
  const found = await findCsv(config.paths, config.maxMemory, stop)
  refuseCollisions(found.files, config.runDate, config.layout)
  const files = takeShare(found.files, config.shard)
  report.found(files.length, found, config.shard)

  const shared = startTally()
  const { bucket, bucketOutcome } = await createBucket(await connect(config.s3, stop), config, shared)
  report.bucket(config.s3.bucket, bucketOutcome, shared.warnings)

  const jobs = files.map(file => ({ file, tally: startTally() }))
  const read = report.follow('Reading', jobs, async job => ({
    ...job,
    csv: await settle(() => readCsv(job.file, config.csvCheck, stop, job.tally)),
    key: await settle(() => buildKey(job.file.name, config.runDate, config.layout)),
  }))
  const entries = await mapParallel(jobs, READERS, read)
  report.read(entries)
  refuseFaults(config.csvCheck, entries)

  const listing = bucketOutcome === 'would-create' ? NOTHING : await listExisting(bucket, entries, shared)
  const way = { bucket, rules: config.rules, budget: createBudget(config.s3.concurrency, config.maxMemory) }
  const settlePut = settleUntilRefused()
  const put = report.follow('Uploading', entries, async (entry): Promise<Passage> => {
    const begun = performance.now()
    const send = () =>
      putObject({ ...way, file: unwrap(entry.csv), key: unwrap(entry.key), tally: entry.tally }, listing)
    const passage = { ...entry, put: await settlePut(send), seconds: Math.round(performance.now() - begun) / 1000 }
    report.file(reportFile(passage, config.rules))
    return passage
  })
  const passages = await mapParallel(entries, config.s3.concurrency, put)
  return await writeManifest(bucket, config, summarize(config, bucketOutcome, passages, shared))
}

async function main(): Promise<void> {
  // A reader that goes away takes the output with it, not the upload.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const environment = readEnvironment()
  const report = await createReport(environment.output, { out: process.stdout, err: process.stderr })
  let config: Config | undefined
  let summary: Summary
  try {
    const invocation = readConfig(environment)
    if ('print' in invocation) return void process.stdout.write(invocation.print)
    config = invocation.config
    summary = await upload(config, report, listenForStop())
  } catch (error) {
    report.trace(error)
    summary = summarizeEnd(error, config)
  }
  await report.summary(summary)
  process.exitCode = summary.exitCode
  // What the SDK still waits for, to try again, must not hold up a run that was told to stop.
  if (summary.exitCode > 128) process.stdout.write('', () => process.exit())
}

void main()
