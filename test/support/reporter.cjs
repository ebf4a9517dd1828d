/** What a person reads of a test run: the tests that failed, with the reason, and the totals; not one line for each of thousands. */
const { spec: Spec } = require('node:test/reporters')

/** Node's own report for people, without what went well. */
module.exports = async function* report(events) {
  const failures = async function* () {
    for await (const event of events) {
      const isQuiet = ['test:pass', 'test:start', 'test:plan'].includes(event.type)
      if (!isQuiet) yield event
    }
  }
  const { Readable } = require('node:stream')
  yield* Readable.from(failures()).pipe(new Spec())
}
