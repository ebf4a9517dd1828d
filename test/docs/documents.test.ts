/** Links from one document to another, or within it, lead somewhere. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/program'

/** The anchors of a document's headings, as GitHub makes them. */
function listAnchors(path: string): string[] {
  const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  return headings.map(heading =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

const PAGES = readdirSync(join(ROOT, 'docs')).filter(name => name.endsWith('.md'))
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...PAGES.map(name => `docs/${name}`)]

test('the README is short, and links to every page', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [lines, words] = [readme.trimEnd().split('\n').length, readme.match(/\S+/g)?.length ?? 0]
  assert.ok(lines <= 120, `${lines} lines`)
  assert.ok(words <= 1000, `${words} words`)
  for (const page of PAGES) assert.ok(readme.includes(`](docs/${page})`), page)
})

for (const name of DOCUMENTS) {
  test(`${name} links to what is there`, () => {
    const document = join(ROOT, name)
    for (const [, link = ''] of readFileSync(document, 'utf8').matchAll(/\]\((?!https:)([^)]+)\)/g)) {
      const [file = '', anchor] = link.split('#')
      const path = file === '' ? document : join(dirname(document), file)
      assert.ok(existsSync(path), link)
      if (anchor !== undefined) assert.ok(listAnchors(path).includes(anchor), link)
    }
  })
}
