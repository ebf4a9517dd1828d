import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { openLiveLines } from '../../../src/report/terminal'
import { runProgram } from '../../support/program'
import { startServer } from '../../support/s3-server'
import { makeTempFolder } from '../../support/temp-folder'

function openTerminal(columns: number, rows: number) {
  let text = ''
  const write = (more: string) => {
    text += more
    return true
  }
  return { isTTY: true, columns, rows, write, text: () => text }
}

test('live lines are for terminals with a size', async () => {
  for (const output of [
    { ...openTerminal(80, 24), isTTY: false },
    { ...openTerminal(0, 0), isTTY: true },
  ]) {
    assert.equal(await openLiveLines(output), undefined)
  }
})

const NAMES = ['ascii.csv', '映画'.repeat(60), '🎬'.repeat(60), 'e\u0301'.repeat(90), 'n'.repeat(200)]
for (const [columns, rows] of [
  [200, 50],
  [80, 24],
  [40, 10],
  [12, 4],
] as const) {
  test(`of 2,000 lines of any width, a terminal of ${columns} by ${rows} gets no more than fit`, async () => {
    const { default: widthOf } = await import('string-width')
    const terminal = openTerminal(columns, rows)
    const lines = Array.from({ length: 400 }, () => NAMES).flat()
    const live = await openLiveLines(terminal)
    live?.draw('Uploading: 12 of 2000 files, 120.0 MiB of 9.7 GiB, 62.7 MiB/s, 3 min left', lines)
    const drawn = stripVTControlCharacters(terminal.text()).trimEnd().split('\n')
    assert.ok(drawn.length < rows, `${drawn.length} lines`)
    for (const line of drawn) assert.ok(widthOf(line) <= columns, line)
    assert.match(drawn.join(' '), /^Uploading: 12/)
  })
}

for (const [env, args, isColoured] of [
  [{}, [], false],
  [{ FORCE_COLOR: '1' }, [], true],
  [{ FORCE_COLOR: '0' }, [], false],
  [{ NO_COLOR: '1' }, [], false],
  [{ FORCE_COLOR: '1' }, ['--json'], false],
] as const) {
  test(`in a pipe with ${JSON.stringify(env)} ${args.join(' ')}: ${isColoured ? '' : 'no '}colours`, async () => {
    const server = await startServer()
    const DATA_DIR = makeTempFolder({ 'a.csv': 'a,b\n1\n', '--.csv': 'a\n' })
    const { stdout, stderr } = await runProgram({ ...server.env, DATA_DIR, ...env }, { args })
    assert.equal(stdout.includes('\u001b['), isColoured)
    assert.equal(stderr.includes('\u001b['), isColoured)
  })
}
