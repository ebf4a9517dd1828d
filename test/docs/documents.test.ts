/** Links from one document to another, or within it, lead somewhere. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
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

for (const name of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/recipes.md', 'docs/troubleshooting.md']) {
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
