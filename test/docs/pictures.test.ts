/** The pictures of the documents show the program as it is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_CODES, PICTURES } from '../../scripts/draw-pictures'
import { ROOT } from '../support/program'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

for (const [name, draw] of Object.entries(PICTURES)) {
  test(`${name} is what \`npm run pictures\` draws`, () => {
    assert.equal(read(`docs/pictures/${name}`), draw())
  })
}

test('the picture of the exit codes has all of them', () => {
  const { exitCode } = JSON.parse(read('docs/events.schema.json')).$defs.summary.properties
  const drawn = EXIT_CODES.flatMap(({ codes }) => codes)
  assert.deepEqual([...drawn].sort(), [...exitCode.enum].sort())
})

test('the recorded run shows its end to a viewer without animation', () => {
  const svg = read('docs/pictures/run.svg')
  const shown = [...svg.matchAll(/<g class="r\d+">(.*?)<\/g>/g)].map(([, row = '']) => row.replace(/<[^>]+>/g, ' '))
  assert.match(shown[0] ?? '', /\$ node dist\/main\.js/)
  assert.match(shown.join('\n'), /4 uploaded, 0 unchanged, 0 failed/)
  assert.doesNotMatch(shown.join('\n'), /Uploading: /)
})
