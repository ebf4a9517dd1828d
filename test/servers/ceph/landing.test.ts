/** The main job on Ceph, beyond what every server is asked. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { preload, runJson, runProgram } from '../../support/program'
import { startRealServer } from '../../support/real-server'
import { makeTempFolder } from '../../support/temp-folder'

const MIB = 1024 * 1024

test('a key of 1,024 bytes lands', async () => {
  const server = await startRealServer()
  const folders = `${'é'.repeat(60)}/`.repeat(8)
  const key = `${folders}${'x'.repeat(1024 - Buffer.byteLength(folders) - '/a.csv'.length)}/a.csv`
  assert.equal(Buffer.byteLength(key), 1024)
  const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n' })
  const { code, stderr } = await runProgram({ ...server.env, DATA_DIR, KEY_LAYOUT: key.replace('a.csv', '{file}') })
  assert.equal(code, 0, stderr)
  assert.equal((await server.read(key)).toString(), 'a\n')
})

test('4 shards at once against one bucket that is not there cover every file once', async () => {
  const server = await startRealServer()
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`sub/f${index}.csv`, `id\n${index}\n`]))
  const env = { ...server.env, DATA_DIR: makeTempFolder(files) }
  const runs = await Promise.all(
    [0, 1, 2, 3].map(share => runJson({ ...env, SHARDS: '4', JOB_COMPLETION_INDEX: String(share) })),
  )
  for (const { code, stdout } of runs) assert.equal(code, 0, stdout)
  const uploaded = runs.flatMap(({ files }) => files.map(({ file }) => file))
  assert.deepEqual(uploaded.sort(), Object.keys(files).sort())
  assert.deepEqual(
    await server.keys(),
    Object.keys(files)
      .map(file => `raw/${file}`)
      .sort(),
  )
  assert.equal(server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv')).length, 40)
})

test('a clock that is an hour off is corrected, small files and large ones', async () => {
  const server = await startRealServer()
  for (const hours of [-1, 1]) {
    const clock = { CLOCK_OFF_MS: String(hours * 3_600_000), NODE_OPTIONS: preload('wrong-clock') }
    const DATA_DIR = makeTempFolder({ 'a.csv': `${hours}\n`, 'large.csv': randomBytes(9 * MIB) })
    const { code, stderr } = await runProgram({ ...server.env, ...clock, DATA_DIR })
    assert.equal(code, 0, stderr)
  }
})

test('a server that obeys If-None-Match is asked once a run, in vain, and not where there are versions', async () => {
  for (const isVersioned of [false, true]) {
    const server = await startRealServer()
    await server.createBucket()
    const { BUCKET_NAME: Bucket } = server.env
    if (isVersioned) {
      const VersioningConfiguration = { Status: 'Enabled' } as const
      await server.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
    }
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a\n', 'b.csv': 'b\n', 'c.csv': 'c\n' })
    const { code, files } = await runJson({ ...server.env, DATA_DIR, ON_CONFLICT: 'keep' })
    assert.equal(code, 0)
    for (const { outcome, warnings } of files) assert.deepEqual([outcome, warnings], ['uploaded', []])
    const puts = server.seen.filter(({ method, url }) => method === 'PUT' && url.includes('.csv'))
    assert.equal(puts.length, isVersioned ? 3 : 4)
  }
})
