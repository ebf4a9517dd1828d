/** Loaded before the program (`node --require`): the clock of its machine is `CLOCK_OFF_MS` milliseconds off. */
const off = Number(process.env.CLOCK_OFF_MS)

const { now } = Date
globalThis.Date = class extends Date {
  static now() {
    return now() + off
  }
  constructor(...given) {
    super(...(given.length === 0 ? [now() + off] : given))
  }
}
