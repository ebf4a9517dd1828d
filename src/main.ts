#!/usr/bin/env node
/** The job, top to bottom: connect, createBucket, readCsv, buildKey, putObject. */
import { randomUUID } from 'node:crypto'
import { version } from '../package.json'
import type { Config, Run } from './config/config'
import { readConfig, readEnvironment } from './config/environment'
import { assertNoFaults } from './csv/check-csv'
import { findCsv } from './csv/find-csv'
import { readCsv } from './csv/read-csv'
import { takeShare } from './csv/shard'
import { Failure, settle, settleUntilRefused, unwrap } from './errors'
import { buildManifestKey, prepareKeys } from './key/build-key'
import { createMemory } from './lib/memory'
import { mapParallel } from './lib/parallel'
import { createReport } from './report/create-report'
import { type FileRun, reportError, reportFile } from './report/file-report'
import type { Report } from './report/report'
import { type Summary, summarize } from './report/summary'
import { isFar } from './s3/capabilities'
import { connect } from './s3/connect'
import { createBucket } from './s3/create-bucket'
import { listObjects, NOTHING } from './s3/objects'
import { createStats } from './s3/request'
import { listenForStop } from './stop-signal'
import { writeManifest } from './upload/manifest'
import { choosePartSize } from './upload/part-size'
import { putObject } from './upload/put-object'

/**
 * @param id of the run
 * @param runs filled with the files, so that the summary has them also if the run ends early
 */
async function upload(
  { config, warnings }: Run,
  id: string,
  runs: FileRun[],
  report: Report,
  stop: AbortSignal,
): Promise<Summary> {
  const { rules, objectOptions, csvCheck, maxMemory } = config
  const found = await findCsv(config.paths, stop)
  const buildKey = prepareKeys(found.files, config.runDate, config.layout)
  const files: FileRun[] = []
  for (const file of takeShare(found.files, config.shard)) {
    // Throws if the file is too large: before anything is sent.
    choosePartSize(file.name, file.size, maxMemory)
    files.push({ file, key: await settle(() => buildKey(file)), stats: createStats() })
  }
  report.found(id, files.length, found, config.shard)
  const folders = found.unlisted.map(({ folder, failure }): FileRun => {
    return { file: folder, key: failure, stats: createStats(), put: failure }
  })
  runs.push(...files, ...folders)

  const connected = await connect(config.s3, stop, report.retry, rules.dryRun ? 1 : files.length)
  connected.stats.warnings.push(...warnings)
  const keys = files.map(run => run.key).filter(key => typeof key === 'string')
  const { s3, bucketOutcome, firstPage } = await createBucket(connected, config, keys, report.retry)
  report.bucket(config.s3.bucket, bucketOutcome, s3.stats.warnings)

  const memory = createMemory(maxMemory, () => isFar(s3.capabilities))
  const open = ({ file, csv, stats }: FileRun) =>
    readCsv(file, {
      check: csvCheck,
      choosePartSize: size => choosePartSize(file.name, size, maxMemory),
      known: csv === undefined ? csv : unwrap(csv),
      signal: stop,
      stats,
    })

  if (csvCheck === 'strict') {
    report.watch('Checking', runs)
    await mapParallel(files, config.s3.concurrency, async run => {
      run.begun = performance.now()
      run.csv = await settle(async () => {
        const csv = open(run)
        await csv.skim(csv.partSize, memory).finally(csv.close)
        return csv.content
      })
    })
    report.checked(runs)
    assertNoFaults(csvCheck, runs)
  }

  const listing =
    bucketOutcome === 'would-create' ? NOTHING : await listObjects(s3, keys, firstPage, csvCheck === 'strict')
  const settlePut = settleUntilRefused()
  report.watch('Uploading', runs)
  for (const run of folders) report.file(reportFile(run, rules))
  await mapParallel(files, config.s3.concurrency, async run => {
    run.begun = performance.now()
    run.put = await settlePut(async () => {
      const csv = open(run)
      try {
        const key = buildKey(run.file)
        return await putObject({ s3: s3.for(run.stats), csv, key, rules, objectOptions, memory }, listing)
      } finally {
        csv.close()
        run.csv = csv.content
      }
    })
    run.seconds = Math.round(performance.now() - run.begun) / 1000
    report.file(reportFile(run, rules))
  })
  if (csvCheck !== 'strict') report.checked(runs)

  const summary = summarize(config, runs, { id, bucketOutcome, shared: s3.stats })
  if (!config.manifest || rules.dryRun || summary.failed > 0) return summary
  const manifest = buildManifestKey(config.layout, config.runDate, config.shard)
  const stats = createStats()
  const written = await settle(() => writeManifest(s3.for(stats), manifest, summary, objectOptions))
  const requests = summary.requests + stats.requests
  if (!(written instanceof Failure)) return { ...summary, requests, manifest }
  return { ...summary, requests, exitCode: written.exitCode, error: reportError(written) }
}

async function main(): Promise<void> {
  let isLost = false
  // A reader that goes away takes the output with it, not the upload.
  process.stderr.on('error', () => {})
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE' && !isLost)
      process.stderr.write(`Warning: the report is lost: stdout cannot be written (${code}).\n`)
    isLost = true
  })
  const environment = readEnvironment()
  const report = await createReport({ ...environment.output, version }, { out: process.stdout, err: process.stderr })
  const id = randomUUID()
  const runs: FileRun[] = []
  let config: Config | undefined
  let summary: Summary
  try {
    const invocation = await readConfig(environment)
    if ('print' in invocation) return void process.stdout.write(invocation.print)
    config = invocation.config
    summary = await upload(invocation, id, runs, report, listenForStop())
  } catch (error) {
    report.trace(error)
    summary = summarize(config, runs, { id, end: error })
  }
  await report.summary(summary)
  process.exitCode = summary.exitCode
  // Neither a socket nor a pause of the SDK may hold up a run that has ended.
  process.stderr.write('', () => process.stdout.write('', () => process.exit()))
}

void main()
