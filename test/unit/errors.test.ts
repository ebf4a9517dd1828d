import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  BucketFailure,
  ConfigFailure,
  CredentialsFailure,
  CsvFailure,
  EndpointFailure,
  exitCodeOf,
  Failure,
  FileFailure,
  InterruptedFailure,
  settle,
  unwrap,
} from '../../src/errors'

const details = { code: 'bug', advice: 'Do this.' } as const

describe('exit codes of the contract', () => {
  for (const [failure, exitCode, retryable] of [
    [new FileFailure('m', details), 1, false],
    [new FileFailure('m', { ...details, retryable: true }), 1, true],
    [new ConfigFailure('m', details), 2, false],
    [new CredentialsFailure('m', details), 3, false],
    [new BucketFailure('m', details), 4, false],
    [new CsvFailure('m', details), 5, false],
    [new EndpointFailure('m', details), 6, true],
    [new InterruptedFailure('SIGINT'), 130, true],
    [new InterruptedFailure('SIGTERM'), 143, true],
  ] as const) {
    test(`${failure.name} (${failure.message}): ${exitCode}, ${retryable ? '' : 'not '}worth retrying`, () => {
      assert.equal(failure.exitCode, exitCode)
      assert.equal(failure.retryable, retryable)
      assert.equal(exitCodeOf([failure, failure]), exitCode)
    })
  }
})

test('a failure is an Error that says what failed, what to do, and why', () => {
  const cause = new Error('why')
  const failure = new BucketFailure('What failed.', { code: 'bucket', advice: 'Do this.', cause })
  assert.ok(failure instanceof Error && failure instanceof Failure)
  assert.deepEqual(
    [failure.name, failure.message, failure.advice, failure.code, failure.cause],
    ['BucketFailure', 'What failed.', 'Do this.', 'bucket', cause],
  )
})

describe('the exit code of a run', () => {
  const FAILURES = {
    file: new FileFailure('m', details),
    credentials: new CredentialsFailure('m', details),
    bucket: new BucketFailure('m', details),
    endpoint: new EndpointFailure('m', details),
    SIGINT: new InterruptedFailure('SIGINT'),
    SIGTERM: new InterruptedFailure('SIGTERM'),
  } as const
  type Kind = keyof typeof FAILURES
  const table: readonly (readonly [readonly Kind[], number])[] = [
    [[], 0],
    [['file'], 1],
    [['file', 'file'], 1],
    [['credentials', 'credentials'], 3],
    [['bucket', 'bucket'], 4],
    [['endpoint', 'endpoint'], 6],
    [['bucket', 'endpoint'], 1],
    [['credentials', 'file'], 1],
    [['credentials', 'bucket', 'endpoint'], 1],
    [['file', 'SIGTERM'], 143],
    [['SIGINT', 'endpoint', 'file'], 130],
  ]
  for (const [kinds, exitCode] of table) {
    test(`${kinds.join(', ') || 'no failure'}: ${exitCode}`, () =>
      assert.equal(exitCodeOf(kinds.map(kind => FAILURES[kind])), exitCode))
  }
  test('does not depend on the order of the files, but for two different signals', () => {
    const kinds = fc.array(fc.constantFrom<Kind>('file', 'credentials', 'bucket', 'endpoint', 'SIGTERM'), {
      maxLength: 5,
    })
    fc.assert(
      fc.property(kinds, given => {
        const failures = given.map(kind => FAILURES[kind])
        assert.equal(exitCodeOf(failures), exitCodeOf([...failures].reverse()))
      }),
    )
  })
})

describe('settle and unwrap', () => {
  const failure = new FileFailure('m', details)
  const bug = new TypeError('a bug')
  const throwing = (error: Error) => () => {
    throw error
  }
  for (const [how, step] of [
    ['thrown', throwing(failure)],
    ['rejected', () => Promise.reject(failure)],
  ] as const) {
    test(`a failure that is ${how} is a value, and thrown again when unwrapped`, async () => {
      const held = await settle(step)
      assert.equal(held, failure)
      assert.throws(
        () => unwrap(held),
        error => error === failure,
      )
    })
  }
  for (const [how, step] of [
    ['thrown', throwing(bug)],
    ['rejected', () => Promise.reject(bug)],
  ] as const) {
    test(`a bug that is ${how} goes on`, () => assert.rejects(settle(step), error => error === bug))
  }
  test('a result is kept', async () => {
    assert.equal(unwrap(await settle(() => 'key')), 'key')
    assert.equal(unwrap(await settle(async () => 0)), 0)
  })
})
