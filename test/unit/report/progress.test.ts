import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeProgress, listActive, type Progress, startProgress } from '../../../src/report/progress'
import { startTally } from '../../../src/s3/request'

const MIB = 1024 * 1024
const jobOf = (name: string, size: number) => ({ file: { name, size }, tally: startTally() })

function begin(verb: Progress['verb']) {
  const jobs = [jobOf('a.csv', 100 * MIB), jobOf('b.csv', 300 * MIB), jobOf('c.csv', 0)] as const
  return { jobs, progress: { ...startProgress(verb, jobs), begun: 0 } }
}

test('a line tells the files and bytes that are done, the rate and the time left', () => {
  const { jobs, progress } = begin('Uploading')
  progress.ended.add(jobs[0])
  jobs[0].tally.bytesSent = 100 * MIB
  progress.active.add(jobs[1])
  jobs[1].tally.bytesSent = 100 * MIB
  assert.equal(
    describeProgress(progress, 10_000),
    'Uploading: 1 of 3 files, 200.0 MiB of 400.0 MiB, 20.0 MiB/s, 10 s left',
  )
})

test('a file that was there already is done, but says nothing of the rate', () => {
  const { jobs, progress } = begin('Uploading')
  progress.ended.add(jobs[1])
  assert.equal(describeProgress(progress, 1000), 'Uploading: 1 of 3 files, 300.0 MiB of 400.0 MiB')
})

test('what was sent twice counts once', () => {
  const { jobs, progress } = begin('Uploading')
  progress.active.add(jobs[0])
  jobs[0].tally.bytesSent = 250 * MIB
  assert.match(describeProgress(progress, 1000), /100\.0 MiB of 400\.0 MiB/)
  assert.deepEqual(listActive(progress), ['100 %   100.0 MiB  a.csv'])
})

test('each file under way has a line with its share', () => {
  const { jobs, progress } = begin('Reading')
  for (const job of jobs) progress.active.add(job)
  jobs[1].tally.bytesRead = 75 * MIB
  assert.deepEqual(listActive(progress), [
    '  0 %   100.0 MiB  a.csv',
    ' 25 %   300.0 MiB  b.csv',
    '100 %         0 B  c.csv',
  ])
})

for (const [seconds, left] of [
  [5, '5 s'],
  [300, '5 min'],
  [4000, '1 h 7 min'],
] as const) {
  test(`${seconds} seconds are ${left} to a person who waits`, () => {
    const job = jobOf('a.csv', MIB * (seconds + 1))
    job.tally.bytesRead = MIB
    const progress = { ...startProgress('Reading', [job]), begun: 0 }
    assert.match(describeProgress(progress, 1000), new RegExp(`, ${left} left$`))
  })
}
