/** The object that says that a run is done: written last, when every file has landed. */
import { crc32 } from 'node:zlib'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Shard } from '../csv/shard'
import { Failure, settle } from '../errors'
import { fillIn, type Layout } from '../key/build-key'
import { reportError } from '../report/file-report'
import type { Summary } from '../report/summary'
import { learn } from '../s3/capabilities'
import { type Bucket, checksumHeaders, request, startTally, type Tally } from '../s3/request'
import type { Rules } from './delivery'
import { verifyBody } from './verify'

interface ManifestOptions {
  readonly manifest: boolean
  readonly rules: Rules
  readonly layout: Layout
  readonly runDate: string
  readonly shard: Shard | undefined
}

/**
 * Where a manifest is wanted and every file has landed: writes `summary` under a key that a downstream job can know
 * beforehand, over the manifest of an earlier run for the same date. Gives the summary with that key, or with what
 * became of it.
 */
export async function writeManifest(bucket: Bucket, config: ManifestOptions, summary: Summary): Promise<Summary> {
  if (!config.manifest || config.rules.dryRun || summary.failed > 0) return summary
  const key = buildManifestKey(config)
  const tally = startTally()
  const put = () => settle(() => putJson(bucket, key, summary, tally))
  const sent = { ...bucket.dialect }
  const first = await put()
  // Where no file had to be sent, this is the first body that the server sees.
  const failure = first instanceof Failure && learn(bucket.dialect, sent, first) ? await put() : first
  const requests = summary.requests + tally.requests
  return failure instanceof Failure
    ? { ...summary, requests, exitCode: failure.exitCode, error: reportError(failure) }
    : { ...summary, requests, manifest: key }
}

/** Each share of a run has a manifest of its own. */
function buildManifestKey({ layout, runDate, shard }: ManifestOptions): string {
  const share = shard === undefined ? '' : `-${shard.index}-of-${shard.count}`
  const template = `{layer}/{source}/{format}/_manifests/{date:yyyy-MM-dd}/manifest${share}.json`
  return fillIn({ ...layout, template }, '', runDate)
}

/** @throws Failure */
async function putJson(bucket: Bucket, key: string, content: object, tally: Tally): Promise<void> {
  const Body = Buffer.from(`${JSON.stringify(content)}\n`)
  const crc = crc32(Body)
  const input = { ...bucket.address, ...checksumHeaders(bucket, crc), Key: key, Body, ContentType: 'application/json' }
  const answer = await request(bucket, `Writing the manifest ${key}`, tally, options =>
    bucket.client.send(new PutObjectCommand(input), options),
  )
  verifyBody(answer, Body, crc, key)
}
