/** Runs `run` as on a machine in `zone`. Node looks at `TZ` again whenever it is assigned. */
export function inZone<Result>(zone: string, run: () => Result): Result {
  const before = process.env['TZ']
  process.env['TZ'] = zone
  try {
    return run()
  } finally {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  }
}
