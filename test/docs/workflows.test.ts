/** The workflows are valid by GitHub's own parser, and a release carries what a platform team asks for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import type * as Parser from '@actions/workflow-parser'
import { buildSync } from 'esbuild'
import { parse } from 'yaml'
import { ROOT } from '../support/program'
import { makeTempFolder } from '../support/temp-folder'
import { runShell } from './run-shell'

const FOLDER = join(ROOT, '.github', 'workflows')
const WORKFLOWS = readdirSync(FOLDER).map(name => ({ name, content: readFileSync(join(FOLDER, name), 'utf8') }))

/** The package imports its schema as JSON without saying so, which Node refuses and a bundler does not. */
function loadParser(): typeof Parser {
  const outfile = join(makeTempFolder(), 'parser.cjs')
  const stdin = { contents: "export * from '@actions/workflow-parser'", resolveDir: ROOT }
  buildSync({ stdin, bundle: true, platform: 'node', format: 'cjs', outfile })
  return createRequire(__filename)(outfile)
}

const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = loadParser()

/** What GitHub would refuse a workflow for. */
async function listErrors(name: string, content: string): Promise<string[]> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  if (value !== undefined) await convertWorkflowTemplate(context, value)
  return context.errors.getErrors().map(error => error.message)
}

const recipe = /^## GitHub Actions.*?^```yaml\n(.*?)^```/ms.exec(readFileSync(join(ROOT, 'docs', 'recipes.md'), 'utf8'))
for (const { name, content } of [...WORKFLOWS, { name: 'the recipe', content: recipe?.[1] ?? '' }]) {
  test(`${name} is valid by the schema and the expressions of GitHub`, async () => {
    assert.deepEqual(await listErrors(name, content), [])
  })
}

test('a wrong key and an unknown context would be found', async () => {
  const wrong = `on: push\njobs: { a: { runs-on: x, stepz: [], steps: [{ run: "\${{ nope.x }}" }] } }\n`
  assert.equal((await listErrors('wrong.yml', wrong)).length, 2)
})

const RELEASE = parse(WORKFLOWS.find(({ name }) => name === 'release.yml')?.content ?? '')
const stepOf = (job: string, isMeant: (step: Record<string, unknown>) => boolean) =>
  RELEASE.jobs[job].steps.find(isMeant)

test('a release is made of a tag alone, with npm provenance and no stored token', () => {
  assert.deepEqual(RELEASE.on, { push: { tags: ['v*'] } })
  assert.equal(RELEASE.jobs.npm.permissions['id-token'], 'write')
  assert.ok(stepOf('npm', ({ run }) => String(run).startsWith('npm publish --provenance')))
  assert.doesNotMatch(JSON.stringify(RELEASE), /secrets\./)
  for (const job of ['npm', 'image']) assert.equal(RELEASE.jobs[job].needs, 'check')
})

test('the image is for both architectures, with SBOM, provenance, and all labels that the Dockerfile takes', () => {
  const image = stepOf('image', ({ uses }) => String(uses).startsWith('docker/build-push-action@')).with
  assert.equal(image.platforms, 'linux/amd64,linux/arm64')
  assert.deepEqual([image.sbom, image.provenance, image.push], [true, 'mode=max', true])
  const given = [...image['build-args'].matchAll(/^(\w+)=\$\{\{ .+ \}\}$/gm)].map(([, name]) => name)
  const taken = [...readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^ARG (\w+)=$/gm)].map(([, name]) => name)
  assert.deepEqual(given, taken)
  assert.deepEqual(given, ['SOURCE', 'REVISION', 'CREATED'])
})

test('a tag that is not the version, or whose changes have no date yet, is not released', () => {
  const { run } = stepOf('check', ({ name }) => String(name).startsWith('The tag is the version'))
  const folder = makeTempFolder({ 'package.json': '{"version":"1.2.3"}' })
  const release = (tag: string, heading: string) => {
    writeFileSync(join(folder, 'CHANGELOG.md'), `${heading}\n`)
    const env = { PATH: process.env['PATH'], GITHUB_REF_NAME: tag }
    // GitHub's own way to run a step.
    return spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run], { cwd: folder, env }).status
  }
  assert.equal(release('v1.2.3', '## [1.2.3] - 2026-11-25'), 0)
  assert.notEqual(release('v1.2.4', '## [1.2.3] - 2026-11-25'), 0)
  assert.notEqual(release('v1.2.3', '## [1.2.3] - unreleased'), 0)
})

test("the image's name is in lower case, and its version has no v", () => {
  const { run } = stepOf('image', ({ id }) => id === 'describe')
  const folder = makeTempFolder()
  const output = join(folder, 'output')
  const env = {
    PATH: process.env['PATH'],
    ...{ GITHUB_REPOSITORY: 'Some-Org/Data-Raw-Upload', GITHUB_REF_NAME: 'v1.2.3', GITHUB_OUTPUT: output },
  }
  assert.equal(spawnSync('bash', ['-eo', 'pipefail', '-c', run], { cwd: ROOT, env }).status, 0)
  assert.match(
    readFileSync(output, 'utf8'),
    /^name=ghcr\.io\/some-org\/data-raw-upload\nversion=1\.2\.3\ncreated=\d{4}-\d\d-\d\dT[\d:]+(Z|[+-]\d\d:\d\d)\n$/,
  )
})

test('the page of a release has its changes, and the image by its digest', () => {
  const { run } = stepOf('notes', ({ run }) => String(run).includes('gh release create'))
  const changes = '# Changes\n\n## [1.2.3] - 2026-11-25\n\n- new\n\n## [1.2.2] - 2026-11-24\n\n- old\n'
  const folder = makeTempFolder({ 'CHANGELOG.md': changes })
  const env = { GITHUB_REF_NAME: 'v1.2.3', IMAGE: 'ghcr.io/o/r@sha256:0a' }
  const { status, lines } = runShell('-euc', run, { gh: 'echo "$@"; cat notes.md' }, { cwd: folder, env })
  assert.equal(status, 0)
  assert.deepEqual(lines, [
    'release create v1.2.3 --verify-tag --title v1.2.3 --notes-file notes.md',
    '- new',
    'The image: `UPLOAD_IMAGE=ghcr.io/o/r@sha256:0a`',
  ])
  assert.match(
    RELEASE.jobs.image.outputs.image,
    /^\$\{\{ steps\.describe\.outputs\.name \}\}@\$\{\{ steps\.build\.outputs\.digest \}\}$/,
  )
})
