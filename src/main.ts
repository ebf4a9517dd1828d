#!/usr/bin/env node
/** The job, top to bottom: connect, createBucket, readCsv, buildKey, putObject. */
import { createBudget } from './budget'
import { buildKey, refuseCollisions } from './build-key'
import { refuseFaults } from './check-csv'
import { type Config, readConfig, readOutput } from './config'
import { connect } from './connect'
import { createBucket } from './create-bucket'
import { CredentialsFailure, type Failure, settle, unwrap } from './errors'
import { listExisting } from './existing-objects'
import { findCsv } from './find-csv'
import { mapParallel } from './map-parallel'
import { putObject } from './put-object'
import { READERS, readCsv } from './read-csv'
import { createReport, type Report } from './report'
import { startTally } from './s3-request'
import { listenForStop } from './stop-signal'
import { type Passage, reportFile, type Summary, summarize, summarizeEnd } from './summary'

async function upload(config: Config, report: Report, stop: AbortSignal): Promise<Summary> {
  const found = await findCsv(config.paths, config.maxMemory)
  report.found(found)

  const shared = startTally()
  const { bucket, created } = await createBucket(await connect(config, stop), config, shared)
  report.bucket(config.bucket, created, shared.warnings)

  const entries = await mapParallel(found.files, READERS, async file => ({
    name: file.name,
    csv: await settle(() => readCsv(file, config.csvCheck, stop)),
    key: await settle(() => buildKey(file.name, config.runDate, config.layout)),
  }))
  refuseCollisions(entries)
  report.read(entries)
  refuseFaults(config.csvCheck, entries)

  const listing = await listExisting(bucket, entries, shared)
  const way = { bucket, rules: config.rules, budget: createBudget(config.concurrency, config.maxMemory) }
  let refused: Failure | undefined
  const passages = await mapParallel(entries, config.concurrency, async (entry): Promise<Passage> => {
    const begun = performance.now()
    const tally = startTally()
    const send = () => putObject({ ...way, file: unwrap(entry.csv), key: unwrap(entry.key), tally }, listing)
    const put = refused ?? (await settle(send))
    if (put instanceof CredentialsFailure) refused = put
    const passage = { ...entry, put, tally, seconds: secondsSince(begun) }
    report.file(reportFile(passage))
    return passage
  })
  return summarize(config, passages, shared)
}

const secondsSince = (begun: number) => Math.round(performance.now() - begun) / 1000

async function main(): Promise<number> {
  const report = createReport(readOutput(), { out: process.stdout, err: process.stderr })
  let config: Config | undefined
  let summary: Summary
  try {
    const invocation = readConfig()
    if ('print' in invocation) {
      process.stdout.write(invocation.print)
      return 0
    }
    config = invocation.config
    summary = await upload(config, report, listenForStop())
  } catch (error) {
    report.trace(error)
    summary = summarizeEnd(error, config)
  }
  report.summary(summary, secondsSince(0))
  return summary.exitCode
}

main().then(code => {
  process.exitCode = code
  // What the SDK still waits for, to try again, must not hold up a run that was told to stop.
  if (code > 128) process.stdout.write('', () => process.exit())
})
