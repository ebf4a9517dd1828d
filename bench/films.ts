/** CSV files of any size that look like those of a film database. */
import { closeSync, openSync, writeSync } from 'node:fs'

const WORDS = 'The Godfather Shawshank Redemption Lord of Rings Pulp Fiction Dark Knight Amélie Samurai'.split(' ')

function* makeRows(quoted: boolean): Generator<string> {
  let random = 1
  const draw = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return (random >>> 8) % below
  }
  const words = (count: number) => Array.from({ length: count }, () => WORDS[draw(WORDS.length)]).join(' ')
  const text = (value: string) => (quoted ? `"${value}"` : value)
  for (let id = 1; id <= 200_000; id++) {
    const title = text(quoted && id % 10 === 0 ? `${words(2)}, ""${words(1)}""` : words(1 + draw(5)))
    yield `${id},${title},${1930 + draw(95)},${text(words(1))},${draw(100) / 10},${draw(1e9)},${text(words(2))}\n`
  }
}

const batches = new Map<boolean, Buffer>()

/** Writes one batch of rows again and again, as many whole rows as there is room for in `bytes`. */
export function writeFilms(path: string, bytes: number, quoted = false): void {
  const batch = batches.get(quoted) ?? Buffer.from([...makeRows(quoted)].join(''))
  batches.set(quoted, batch)
  const file = openSync(path, 'w')
  let room = bytes
  for (; room >= batch.length; room -= batch.length) writeSync(file, batch)
  writeSync(file, batch, 0, batch.lastIndexOf('\n', room - 1) + 1)
  closeSync(file)
}
