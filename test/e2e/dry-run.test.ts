/** A dry run, end to end: what a real one would do, and nothing written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runJson, runProgram } from '../support/program'
import type { SeenRequest } from '../support/proxy'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'

const isWrite = ({ method }: SeenRequest) => method !== 'GET' && method !== 'HEAD'
const dryRun = (env: Readonly<Record<string, string>>) => runJson(env, { args: ['--dry-run'] })

test('without the bucket: it and every file would be made, and nothing is', async () => {
  const server = await startServer()
  const env = { ...server.env, DATA_DIR: makeTempFolder({ 'a.csv': 'a\n1\n', 'b.csv': 'b\n1\n' }), MANIFEST: 'true' }
  const { code, summary, ends } = await dryRun(env)
  assert.equal(code, 0)
  assert.deepEqual(ends, ['a.csv would-upload', 'b.csv would-upload'])
  assert.equal(summary['bucketOutcome'], 'would-create')
  assert.equal(summary['manifest'], undefined)
  assert.deepEqual(summary['dryRun'], { wouldUpload: 2, wouldKeep: 0, unproven: ['s3:CreateBucket', 's3:PutObject'] })
  assert.deepEqual(server.seen.filter(isWrite), [])
})

test('CREATE_BUCKET=false without the bucket is exit 4, as in a real run', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  assert.equal((await dryRun({ ...server.env, DATA_DIR, CREATE_BUCKET: 'false' })).code, 4)
})

for (const [onConflict, expected, exitCode] of [
  ['overwrite', 'would-upload', 0],
  ['keep', 'would-keep', 0],
  ['fail', 'would-fail', 1],
] as const) {
  test(`ON_CONFLICT=${onConflict}: a key with other content is ${expected}`, async () => {
    const server = await startServer()
    const env = { ...server.env, RUN_DATE: '2024-10-21', ON_CONFLICT: onConflict }
    await runProgram({ ...env, DATA_DIR: makeTempFolder({ 'other.csv': 'old\n', 'same.csv': 'same\n' }) })
    server.seen.length = 0
    const DATA_DIR = makeTempFolder({ 'other.csv': 'new content\n', 'same.csv': 'same\n', 'new.csv': 'n\n' })
    const { code, files } = await dryRun({ ...env, DATA_DIR })
    assert.equal(code, exitCode)
    const outcomes = files.map(({ file, outcome }) => `${file} ${outcome}`)
    assert.deepEqual(outcomes, ['new.csv would-upload', `other.csv ${expected}`, 'same.csv unchanged'])
    assert.deepEqual(server.seen.filter(isWrite), [])
    assert.equal(files[1]?.error?.code, onConflict === 'fail' ? 'conflict' : undefined)
  })
}

test('text says that nothing was written, and which rights only a real run can prove', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  const { stdout } = await runProgram({ ...server.env, DATA_DIR }, { args: ['--dry-run'] })
  assert.match(stdout, /does not exist and would be created/)
  assert.match(stdout, /1 would be uploaded, 0 unchanged, 0 would fail/)
  assert.match(stdout, /Nothing was written\. Only a real run can prove the rights s3:CreateBucket and s3:PutObject\./)
})

test('faults in strict, and credentials that are refused, end it as they end a real run', async () => {
  const server = await startServer()
  const DATA_DIR = makeTempFolder({ 'bad.csv': 'a,b\n1\n' })
  assert.equal((await dryRun({ ...server.env, DATA_DIR, CSV_CHECK: 'strict' })).code, 5)
  server.meddle = (_, response) => refuse(response, 403, 'InvalidAccessKeyId')
  assert.equal((await dryRun({ ...server.env, DATA_DIR })).code, 3)
})
