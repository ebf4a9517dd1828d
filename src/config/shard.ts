/** Which of several runs this is: `SHARD=i/n`, or `SHARDS=n` where the scheduler numbers the runs. */

import type { Shard } from '../csv/shard'
import { ConfigFailure } from '../errors'
import type { SettingName } from './settings'
import { parseCount, refuse } from './values'

const MOST_SHARDS = 100_000

/** The variables in which schedulers number the runs of one job: Kubernetes for an Indexed Job, AWS Batch for an array job. */
const INDEXES = ['JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX'] as const

/** @throws ConfigFailure */
export function parseShard(read: (name: SettingName) => string | undefined): Shard | undefined {
  const [share, shares] = [read('SHARD'), read('SHARDS')]
  if (share === undefined && shares === undefined) return undefined
  if (share !== undefined && shares !== undefined) {
    throw new ConfigFailure('SHARD and SHARDS are both set.', {
      code: 'bad_config',
      advice: 'Set SHARD=i/n, or SHARDS=n where the scheduler gives each run its index.',
    })
  }
  if (share !== undefined) {
    const [, index, count] = /^(\d+)\/(\d+)$/.exec(share) ?? []
    if (Number(count) > MOST_SHARDS || !(Number(index) < Number(count))) {
      throw refuse('SHARD', share, 'i/n, counted from 0: 0/4, 1/4, 2/4 and 3/4 are all the shares of four')
    }
    return { index: Number(index), count: Number(count) }
  }
  const count = parseCount('SHARDS', shares ?? '', MOST_SHARDS)
  const name = INDEXES.find(candidate => read(candidate) !== undefined)
  if (name === undefined) {
    throw new ConfigFailure(
      `SHARDS is ${count}, and neither ${INDEXES.join(' nor ')} says which share this run takes.`,
      {
        code: 'bad_config',
        advice: 'Set SHARD=i/n instead, or run it as an Indexed Job of Kubernetes or an array job of AWS Batch.',
      },
    )
  }
  const index = read(name) ?? ''
  if (!/^\d+$/.test(index) || Number(index) >= count) {
    throw refuse(name, index, `a whole number from 0 to ${count - 1}, since SHARDS is ${count}`)
  }
  return { index: Number(index), count }
}
