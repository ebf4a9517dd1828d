/** Which of several runs this is: `SHARD=i/n`, or `SHARDS=n` if the scheduler numbers the runs. */
import type { Shard } from '../csv/shard'
import { ConfigFailure } from '../errors'
import { countUpTo, refuse } from './values'

const MOST_SHARDS = 100_000

/** `i/n`, from 0. */
export function parseShard(name: string, text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  if (Number(count) > MOST_SHARDS || !(Number(index) < Number(count))) {
    throw refuse(name, text, 'i/n, counted from 0: 0/4, 1/4, 2/4 and 3/4 are all the shares of four')
  }
  return { index: Number(index), count: Number(count) }
}

export const parseShardCount = countUpTo(MOST_SHARDS)

/** The variables in which schedulers number the runs of one job: Kubernetes for an Indexed Job, AWS Batch for an array job. */
const INDEXES = ['JOB_COMPLETION_INDEX', 'AWS_BATCH_JOB_ARRAY_INDEX'] as const

/**
 * The share that the settings ask for, `undefined` for all files.
 * @param indexes the texts of the schedulers' variables
 * @throws ConfigFailure
 */
export function chooseShard(
  shard: Shard | undefined,
  count: number | undefined,
  indexes: Readonly<Record<(typeof INDEXES)[number], string | undefined>>,
): Shard | undefined {
  if (count === undefined) return shard
  if (shard !== undefined) {
    throw new ConfigFailure('SHARD and SHARDS are both set.', {
      code: 'bad_config',
      advice: 'Set SHARD=i/n, or set SHARDS=n if the scheduler gives each run its index.',
    })
  }
  const name = INDEXES.find(candidate => indexes[candidate] !== undefined)
  if (name === undefined) {
    throw new ConfigFailure(
      `SHARDS is ${count}, and neither ${INDEXES.join(' nor ')} says which share this run takes.`,
      {
        code: 'bad_config',
        advice: 'Set SHARD=i/n instead, or run it as an Indexed Job of Kubernetes or an array job of AWS Batch.',
      },
    )
  }
  const index = indexes[name] ?? ''
  if (!/^\d+$/.test(index) || Number(index) >= count) {
    throw refuse(name, index, `a whole number from 0 to ${count - 1}, since SHARDS is ${count}`)
  }
  return { index: Number(index), count }
}
