import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileRun } from '../../../src/report/file-report'
import { describeProgress, listActive, type Progress } from '../../../src/report/progress'
import { createStats } from '../../../src/s3/request'

const MIB = 1024 * 1024
const ENDED = { outcome: 'uploaded', etag: undefined, versionId: undefined } as const
const runOf = (name: string, size: number): FileRun => ({
  file: { path: `/data/${name}`, name, size },
  key: name,
  stats: createStats(),
})

function begin(verb: Progress['verb']) {
  const runs = [runOf('a.csv', 100 * MIB), runOf('b.csv', 300 * MIB), runOf('c.csv', 0)] as const
  return { runs, progress: { verb, runs, begun: 0 } }
}

test('a line tells the files and bytes that are done, the rate and the time left', () => {
  const { runs, progress } = begin('Uploading')
  runs[0].put = ENDED
  runs[0].stats.bytesLanded = 100 * MIB
  runs[1].stats.bytesLanded = 100 * MIB
  assert.equal(
    describeProgress(progress, 10_000),
    'Uploading: 1 of 3 files, 200.0 MiB of 400.0 MiB, 20.0 MiB/s, 10 s left',
  )
})

test('a file that was there already is done, but says nothing of the rate', () => {
  const { runs, progress } = begin('Uploading')
  runs[1].put = ENDED
  assert.equal(describeProgress(progress, 1000), 'Uploading: 1 of 3 files, 300.0 MiB of 400.0 MiB')
})

test('bytes count when the server has acknowledged them, not when they were sent', () => {
  const { runs, progress } = begin('Uploading')
  runs[0].stats.bytesSent = 250 * MIB
  runs[0].stats.bytesRead = 100 * MIB
  assert.equal(describeProgress(progress, 1000), 'Uploading: 0 of 3 files, 0 B of 400.0 MiB')
})

test('each file under way has a line with its share', () => {
  const { runs, progress } = begin('Checking')
  for (const run of runs) run.begun = 0
  runs[0].csv = {
    size: 100 * MIB,
    digest: { partSize: 8 * MIB, crc32: 0, partCrc32s: [], partMd5s: [] },
    shape: undefined,
  }
  runs[1].stats.bytesRead = 75 * MIB
  assert.deepEqual(listActive(progress), [' 25 %   300.0 MiB  b.csv', '100 %         0 B  c.csv'])
})

for (const [seconds, left] of [
  [5, '5 s'],
  [300, '5 min'],
  [4000, '1 h 7 min'],
] as const) {
  test(`${seconds} seconds are ${left} to a person who waits`, () => {
    const run = runOf('a.csv', MIB * (seconds + 1))
    run.stats.bytesRead = MIB
    assert.match(describeProgress({ verb: 'Checking', runs: [run], begun: 0 }, 1000), new RegExp(`, ${left} left$`))
  })
}
