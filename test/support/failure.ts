/** What is thrown, as a `Failure`: anything else thrown fails the test, and so does nothing thrown. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { Failure } from '../../src/errors'

export function catchFailure(run: () => unknown): Failure {
  let result: unknown
  try {
    result = run()
  } catch (error) {
    assert.ok(error instanceof Failure, `what was thrown is no Failure: ${inspect(error)}`)
    return error
  }
  assert.fail(`nothing was thrown; the result is ${inspect(result)}`)
}

export async function catchFailureOf(promise: Promise<unknown>): Promise<Failure> {
  const [settled] = await Promise.allSettled([promise])
  return catchFailure(() => {
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  })
}
