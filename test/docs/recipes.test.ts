/** docs/recipes.md: every block parses, sets what the program reads, and its shell lines do what they say. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { parseDocument } from 'yaml'
import { SETTINGS } from '../../src/config/settings'
import { buildKey } from '../../src/key/build-key'
import { parseLayout } from '../../src/key/layout'
import { ROOT, runProgram } from '../support/program'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'
import { runShell } from './run-shell'

const TEXT = readFileSync(join(ROOT, 'docs', 'recipes.md'), 'utf8')

/** What the recipes themselves, Node or another program read. */
const NOT_SETTINGS = ['GH_TOKEN', 'JOB_NAME', 'SCHEDULED_TIME', 'NODE_EXTRA_CA_CERTS', 'ACCOUNT_ID']

interface Section {
  readonly title: string
  readonly text: string
  readonly blocks: readonly { readonly language: string; readonly code: string }[]
}

const SECTIONS: readonly Section[] = TEXT.split(/^## /m)
  .slice(1)
  .map(text => ({
    title: text.slice(0, text.indexOf('\n')),
    text,
    blocks: [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', code = '']) => ({ language, code })),
  }))

function blocksOf(title: string, language: string): string[] {
  const section = SECTIONS.find(each => each.title === title)
  assert.ok(section !== undefined, title)
  return section.blocks.filter(block => block.language === language).map(({ code }) => code)
}

/** The value at `path` of a YAML or JSON text. */
function valueIn(code: string | undefined, ...path: (string | number)[]): string {
  const value = parseDocument(code ?? '').getIn(path)
  assert.equal(typeof value, 'string', path.join('.'))
  return String(value)
}

/** Names of variables: keys of `env`, names in `env` and `environment`, also in JSON within JSON. */
function listVariables(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('{"') ? listVariables(JSON.parse(value)) : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key !== 'env' && key !== 'environment') return listVariables(inner)
    return Array.isArray(inner) ? inner.map(({ name }) => String(name)) : Object.keys(inner)
  })
}

for (const { title, text, blocks } of SECTIONS) {
  for (const { language, code } of blocks) {
    if (language === 'yaml' || language === 'json') {
      test(`${title}: ${language} parses, and its variables are settings`, () => {
        const document = parseDocument(code)
        assert.deepEqual(document.errors, [])
        if (language === 'json') JSON.parse(code)
        const names: string[] = SETTINGS.map(({ name }) => name)
        for (const name of listVariables(document.toJS())) assert.ok([...names, ...NOT_SETTINGS].includes(name), name)
      })
    }
  }
  test(`${title}: what it calls a variable is a setting`, () => {
    const named = [
      ...text.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+|TZ)\b[^`]*`|(?:^|[ {])(?:name=)?([A-Z]+_[A-Z0-9_]+)=/gm),
    ]
    const names: string[] = SETTINGS.map(({ name }) => name)
    for (const [, quoted, set] of named) {
      const name = quoted ?? set ?? ''
      assert.ok([...names, ...NOT_SETTINGS].includes(name), name)
    }
  })
}

test('every run has its date', () => {
  const runs = SECTIONS.filter(({ blocks }) =>
    blocks.some(({ code }) => /image|docker-compose run --rm upload$|dist\/main/m.test(code)),
  )
  assert.equal(runs.length, 6)
  for (const { title, blocks } of runs)
    assert.ok(
      blocks.some(({ code }) => code.includes('RUN_DATE')),
      title,
    )
})

describe('cron', () => {
  const [script = ''] = blocksOf('cron with docker-compose', 'sh')
  const passDays = 'echo x >>days; echo "2024-10-$((20 + $(wc -l <days)))"'
  const exits = (...codes: number[]) =>
    `echo "$* $RUN_DATE"; set -- ${codes.join(' ')}; echo x >>runs; shift $(($(wc -l <runs) - 1)); exit $1`
  for (const [codes, runs, status] of [
    [[0], 1, 0],
    [[6, 143, 0], 3, 0],
    [[3], 1, 3],
    [[6, 6, 6, 6], 4, 6],
  ] as const) {
    test(`runs that end with ${codes.join(', ')}: ${runs} with one date, and ${status} in the end`, () => {
      const { lines, ...ended } = runShell('-c', script, {
        'docker-compose': exits(...codes),
        date: passDays,
        sleep: '',
      })
      assert.deepEqual(lines, Array(runs).fill('run --rm upload 2024-10-21'))
      assert.equal(ended.status, status, ended.stderr)
    })
  }
  test('a date given is the date', () => {
    const { lines } = runShell('-c', script, { 'docker-compose': exits(0), sleep: '' }, { args: ['2023-01-02'] })
    assert.deepEqual(lines, ['run --rm upload 2023-01-02'])
  })
})

describe('the date of a run is the one its scheduler meant', () => {
  const node = { node: 'echo "$RUN_DATE"' }
  test('GitHub: when the run was created, or what was typed in', () => {
    const [workflow] = blocksOf('GitHub Actions with OIDC', 'yaml')
    const step = valueIn(workflow, 'jobs', 'upload', 'steps', 4, 'run')
    const stubs = { ...node, gh: 'echo 2024-10-21T02:17:05Z' }
    const env = { GITHUB_REPOSITORY: 'o/r', GITHUB_RUN_ID: '1' }
    assert.deepEqual(runShell('-euc', step, stubs, { env: { ...env, RUN_DATE: '' } }).lines, ['2024-10-21'])
    assert.deepEqual(runShell('-euc', step, stubs, { env: { ...env, RUN_DATE: '2023-01-02' } }).lines, ['2023-01-02'])
  })
  /** What the program would find in its environment, if Node is given `script`. */
  function runNode(script: string, env: Readonly<Record<string, string>>) {
    const program = join(makeTempFolder({ 'main.js': 'console.log(process.env.RUN_DATE)' }), 'main.js')
    const inPlace = script.replace("require('/app/dist/main.js')", `require(${JSON.stringify(program)})`)
    assert.notEqual(inPlace, script)
    const { status, stdout } = spawnSync(process.execPath, ['-e', inPlace], { env, encoding: 'utf8' })
    return { status, stdout }
  }
  test("Kubernetes: the minutes in the Job's name; without them, nothing is run", () => {
    const [manifest] = blocksOf('Kubernetes CronJob', 'yaml')
    const pod = ['spec', 'jobTemplate', 'spec', 'template', 'spec', 'containers', 0]
    assert.equal(valueIn(manifest, ...pod, 'args', 0), '-e')
    const script = valueIn(manifest, ...pod, 'args', 1)
    // 2024-10-21T02:17:00Z / 60
    assert.equal(runNode(script, { JOB_NAME: 'data-raw-upload-28824617' }).stdout, '2024-10-21\n')
    const byHand = runNode(script, { JOB_NAME: 'data-raw-upload-by-hand' })
    assert.equal(byHand.stdout, '')
    assert.notEqual(byHand.status, 0)
  })
  test('ECS: the scheduled time; without it, nothing is run', () => {
    const [task] = blocksOf('ECS on Fargate, scheduled', 'json')
    const script = valueIn(task, 'containerDefinitions', 0, 'command', 0)
    assert.equal(runNode(script, { SCHEDULED_TIME: '2024-10-21T02:17:00Z' }).stdout, '2024-10-21\n')
    const byHand = runNode(script, {})
    assert.equal(byHand.stdout, '')
    assert.notEqual(byHand.status, 0)
  })
  test('Batch: the day of the submission, the same for all attempts', () => {
    const [script = ''] = blocksOf('AWS Batch array job', 'sh')
    const { lines } = runShell('-c', script, { aws: 'printf "%s\\n" "$@"', date: 'echo 2024-10-21' })
    assert.ok(lines.includes('environment=[{name=RUN_DATE,value=2024-10-21},{name=SHARDS,value=4}]'), lines.join(' '))
  })
})

describe('containers need no shell, no right and no disk of their own', () => {
  const [cron, indexed] = ['Kubernetes CronJob', 'Kubernetes Indexed Job: a shard per pod'].map(title =>
    parseDocument(blocksOf(title, 'yaml')[0] ?? '').toJS(),
  )
  for (const [name, job] of [
    ['CronJob', cron.spec.jobTemplate.spec],
    ['Indexed Job', indexed.spec],
  ] as const) {
    test(`Kubernetes ${name}`, () => {
      const { securityContext: user, containers } = job.template.spec
      const [{ command = [], resources, securityContext, env, volumeMounts }] = containers
      assert.deepEqual(user, {
        ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 },
        ...{ fsGroup: 1000, fsGroupChangePolicy: 'OnRootMismatch', seccompProfile: { type: 'RuntimeDefault' } },
      })
      assert.deepEqual(securityContext, {
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      })
      assert.ok(resources.requests.memory && resources.limits.memory)
      assert.ok(job.activeDeadlineSeconds > 0 && job.ttlSecondsAfterFinished > 0)
      assert.ok(env.some((each: object) => isDeepStrictEqual(each, { name: 'CREATE_BUCKET', value: 'false' })))
      assert.equal(volumeMounts[0].readOnly, true)
      assert.ok([undefined, 'node'].includes(command[0]), command[0])
    })
  }
  test('ECS', () => {
    const [container] = JSON.parse(blocksOf('ECS on Fargate, scheduled', 'json')[0] ?? '').containerDefinitions
    assert.equal(container.entryPoint[0], 'node')
    assert.equal(container.readonlyRootFilesystem, true)
  })
})

test('the policy to copy has every action of the table, on what the table says, except creating the bucket', () => {
  const title = 'The least IAM policy, per feature'
  const statements: { readonly Action: readonly string[]; readonly Resource: string }[] = JSON.parse(
    blocksOf(title, 'json')[0] ?? '',
  ).Statement
  const section = SECTIONS.find(each => each.title === title)?.text ?? ''
  const rows = [...section.matchAll(/^\| .*? \| (`.*?) +\| (.*?) +\|$/gm)].slice(0, -1)
  const asked = rows.flatMap(([, actions = '', on = '']) =>
    [...actions.matchAll(/`([^`]+)`/g)].map(([, action]) => `${action} on ${on.replaceAll('`', '')}`),
  )
  const given = statements.flatMap(({ Action: actions, Resource: resource }) =>
    actions.map(action => `${action} on ${resource.startsWith('arn:aws:kms:') ? 'the key' : resource}`),
  )
  assert.deepEqual(given.sort(), asked.sort())
})

test("Athena looks for partitions where the program's keys are", () => {
  const names = { layer: 'Raw', source: 'Local', format: 'CSV' }
  const [plain = '', hive = ''] = blocksOf('Athena tables over what landed', 'sql')
  const keyOf = (layout: string) =>
    `s3://my-data-lake/${buildKey('movies.csv', '2024-10-21', parseLayout(layout, names))}`
  const template = /'storage.location.template' = '(.*)'/.exec(plain)?.[1]?.replace(/\$\{day\}/, '2024/10/21')
  assert.equal(`${template}movies.csv`, keyOf('plain'))
  const location = /LOCATION '(.*)'/.exec(hive)?.[1]
  assert.equal(`${location}year=2024/month=10/day=21/movies.csv`, keyOf('hive'))
})

test('s3:PutObject alone lands files, with a warning', async () => {
  const server = await startServer()
  const run = { ...server.env, DATA_DIR: makeTempFolder({ 'movies.csv': 'id\n1\n' }), RUN_DATE: '2024-10-21' }
  await runProgram({ ...run, DATA_DIR: makeTempFolder({ 'other.csv': 'id\n1\n' }) })
  server.meddle = (seen, response) =>
    seen.method === 'PUT' && seen.url.includes('.csv') ? seen.body : refuse(response, 403, 'AccessDenied')
  const { code, stderr } = await runProgram(run)
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^Warning: HeadBucket on test-lake is denied/m)
  server.meddle = seen => seen.body
  assert.ok((await server.keys()).includes('Raw/Local/CSV/Movies/2024/10/21/movies.csv'))
})
