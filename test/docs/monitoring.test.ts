/** docs/monitoring.md: each script does what it says with what real runs print. */
import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { parse } from 'yaml'
import { ROOT, runProgram } from '../support/program'
import { refuse, startServer } from '../support/s3-server'
import { makeTempFolder } from '../support/temp-folder'
import { runShell } from './run-shell'

const TEXT = readFileSync(join(ROOT, 'docs', 'monitoring.md'), 'utf8')
const blocks = (language: string) => [...TEXT.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))]
const SCRIPTS = blocks('sh').map(([, code = '']) => code)
/** The script that says its name in its second line. */
const scriptOf = (name: string) =>
  SCRIPTS.find(code => code.split('\n')[1]?.startsWith(`# ${name} `)) ?? assert.fail(name)

const JQ = { jq: `exec '${process.execPath}' '${join(__dirname, 'jq.cjs')}' "$@"` }

/** What runs print, by what became of them. */
const PRINTED = { landed: '', failed: '', refused: '', killed: '{"event":"found","files":1,"passedOver":[]}\n' }

before(async () => {
  const server = await startServer()
  await server.createBucket()
  const folder = makeTempFolder({ 'movies.csv': 'id,title\n1,x\n', 'bad.csv': 'id,title\n1,x,y\n' })
  const run = { ...server.env, DATA_DIR: folder, RUN_DATE: '2024-10-21', LOG_FORMAT: 'json' }
  PRINTED.landed = (await runProgram(run)).stdout
  writeFileSync(join(folder, 'movies.csv'), 'id,title\n2,y\n')
  server.meddle = (seen, response) =>
    seen.method === 'PUT' && seen.url.includes('movies') ? refuse(response, 403, 'AccessDenied') : seen.body
  PRINTED.failed = (await runProgram(run)).stdout
  PRINTED.refused = (await runProgram({ ...run, AWS_SECRET_ACCESS_KEY: '' })).stdout
})

describe('Prometheus', () => {
  /** The metrics by their name and labels; every line must be as the exposition format has it. */
  function writeMetrics(code: number, input: string): Record<string, number> {
    const folder = makeTempFolder()
    const env = { TEXTFILE_DIR: folder }
    const { status, stderr } = runShell('-c', scriptOf('write-metrics'), JQ, { env, args: [`${code}`], input })
    assert.equal(status, 0, stderr)
    assert.deepEqual(readdirSync(folder), ['data_raw_upload.prom'], 'no file is left half written')
    const text = readFileSync(join(folder, 'data_raw_upload.prom'), 'utf8')
    assert.ok(text.endsWith('\n'))
    const lines = text.trimEnd().split('\n')
    for (const line of lines) assert.match(line, /^(# (HELP|TYPE) [a-z_]+ \S.*|[a-z_]+(\{[a-z]+="[a-z]+"\})? [0-9.]+)$/)
    const samples = lines.filter(line => !line.startsWith('#')).map(line => line.split(/ (?=[0-9.]+$)/))
    for (const [name = ''] of samples) assert.ok(text.includes(`# TYPE ${name.replace(/\{.*/, '')} gauge\n`), name)
    return Object.fromEntries(samples.map(([name = '', value]) => [name, Number(value)]))
  }

  test('a run that landed', () => {
    const metrics = writeMetrics(0, PRINTED.landed)
    assert.equal(metrics['data_raw_upload_exit_code'], 0)
    assert.equal(metrics['data_raw_upload_files{outcome="uploaded"}'], 2)
    assert.equal(metrics['data_raw_upload_files{outcome="failed"}'], 0)
    assert.equal(metrics['data_raw_upload_faulty_files'], 1)
    assert.equal(metrics['data_raw_upload_sent_bytes'], 28)
    const age = Date.now() / 1000 - (metrics['data_raw_upload_end_timestamp_seconds'] ?? 0)
    assert.ok(age > -2 && age < 600, `${age} s ago`)
  })
  test('a run with a failed file', () => {
    const metrics = writeMetrics(4, PRINTED.failed)
    assert.equal(metrics['data_raw_upload_exit_code'], 4)
    assert.equal(metrics['data_raw_upload_files{outcome="failed"}'], 1)
  })
  test('a run without files, and one that was killed before its summary', () => {
    assert.equal(writeMetrics(3, PRINTED.refused)['data_raw_upload_files{outcome="uploaded"}'], 0)
    const { data_raw_upload_end_timestamp_seconds: _, ...killed } = writeMetrics(137, PRINTED.killed)
    assert.deepEqual(killed, { data_raw_upload_exit_code: 137 })
  })
  test('the alarms ask for metrics that are written', () => {
    const names = Object.keys(writeMetrics(0, PRINTED.landed))
    const rules: { readonly expr: string }[] = parse(blocks('yaml')[0]?.[1] ?? '').groups[0].rules
    assert.equal(rules.length, 2)
    for (const { expr } of rules) assert.ok(names.includes(/data_raw_upload_\w+/.exec(expr)?.[0] ?? ''), expr)
  })
})

describe('CloudWatch', () => {
  const putMetrics = (code: number, input: string) => {
    const stubs = { ...JQ, aws: 'echo "$@"; cat' }
    const { status, lines, stderr } = runShell('-c', scriptOf('put-metrics'), stubs, { args: [`${code}`], input })
    assert.equal(status, 0, stderr)
    assert.match(lines[0] ?? '', /^logs put-log-events .*--log-events file:\/\/\/dev\/stdin$/)
    const [event, ...others] = JSON.parse(lines[1] ?? '')
    assert.deepEqual(others, [])
    return { time: event.timestamp, message: JSON.parse(event.message) }
  }

  for (const [what, code] of [
    ['landed', 0],
    ['failed', 4],
    ['refused', 3],
    ['killed', 137],
  ] as const) {
    test(`a run that ${what === 'landed' ? what : `was ${what}`} gives an event as the format's specification has it`, () => {
      const { time, message } = putMetrics(code, PRINTED[what])
      const { _aws: metadata, ...members } = message
      assert.deepEqual(Object.keys(metadata).sort(), ['CloudWatchMetrics', 'Timestamp'])
      assert.equal(metadata.Timestamp, time)
      assert.ok(Number.isInteger(time) && Math.abs(Date.now() - time) < 600_000)
      const [{ Namespace: namespace, Dimensions: dimensions, Metrics: metrics }] = metadata.CloudWatchMetrics
      assert.equal(namespace, 'data-raw-upload')
      for (const [name] of dimensions) assert.equal(typeof members[name], 'string')
      for (const { Name: name, Unit: unit } of metrics) {
        assert.equal(typeof members[name], 'number', name)
        assert.ok(['Count', 'Bytes', 'Seconds', 'None'].includes(unit))
      }
      assert.equal(members.exitCode, code)
      assert.equal(members.uploaded, { landed: 2, failed: 0, refused: 0, killed: undefined }[what])
    })
  }
  test('the metric filter reads a number that the summary has', () => {
    const script = SCRIPTS.find(code => code.includes('put-metric-filter')) ?? ''
    const { lines } = runShell('-c', script, { aws: 'printf "%s\\n" "$@"' })
    const summary = JSON.parse(PRINTED.landed.trimEnd().split('\n').at(-1) ?? '')
    assert.ok(lines.includes(`{ $.event = "${summary.event}" }`))
    const value = /metricValue=\$\.(\w+)$/.exec(lines.at(-1) ?? '')?.[1] ?? ''
    assert.equal(typeof summary[value], 'number')
  })
})

describe('Slack', () => {
  const tellSlack = (code: number, input: string) => {
    const env = { SLACK_WEBHOOK_URL: 'https://hooks.example.com/T0' }
    const stubs = { ...JQ, curl: 'for last; do :; done; echo "$last"; cat' }
    const { status, lines, stderr } = runShell('-c', scriptOf('tell-slack'), stubs, { env, args: [`${code}`], input })
    assert.equal(status, 0, stderr)
    assert.equal(lines[0], env.SLACK_WEBHOOK_URL)
    const { text, ...others } = JSON.parse(lines[1] ?? '')
    assert.deepEqual(others, {})
    return text.split('\n')
  }

  test('a failed file is named with what to do', () => {
    const [head, failure, ...others] = tellSlack(4, PRINTED.failed)
    assert.equal(head, 'Upload to test-lake ended with exit code 4: 0 uploaded, 1 unchanged, 1 failed.')
    assert.match(failure, /^• movies\.csv: .*AccessDenied.* Allow s3:PutObject/)
    assert.deepEqual(others, [], 'to start it again would not help')
  })
  test('where it helps to start the run again, the message says so', () => {
    assert.equal(tellSlack(6, PRINTED.failed).at(-1), 'Start it again with --date 2024-10-21.')
  })
  test('of many failures the first five are named, and nothing in them is taken for markup', () => {
    const error = { message: 'a <b> & c failed.', advice: 'Mend it.' }
    const files = Array.from({ length: 7 }, (_, index) => ({ file: `f${index}.csv`, error }))
    const summary = { event: 'summary', bucket: 'lake', uploaded: 0, unchanged: 0, failed: 7, files }
    const lines = tellSlack(1, `${JSON.stringify(summary)}\n`)
    assert.equal(lines.length, 7)
    assert.equal(lines[1], '• f0.csv: a &lt;b&gt; &amp; c failed. Mend it.')
    assert.equal(lines[6], '… and 2 more')
  })
  test('no credentials, and a run that was killed', () => {
    assert.match(tellSlack(3, PRINTED.refused)[1], /^• .*AWS_SECRET_ACCESS_KEY/)
    assert.deepEqual(tellSlack(137, PRINTED.killed), [
      'Upload to a bucket that is not known ended with exit code 137 and without a summary.',
    ])
  })
})

test("the run that reports ends with the program's code, and tells Slack of failures only", () => {
  for (const [code, told] of [
    [0, ['metrics 0', 'put 0']],
    [6, ['metrics 6', 'put 6', 'slack 6']],
  ] as const) {
    const folder = makeTempFolder()
    for (const [name, word] of [
      ['write-metrics', 'metrics'],
      ['put-metrics', 'put'],
      ['tell-slack', 'slack'],
    ] as const) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho ${word} $1\ngrep -q summary || echo no events\n`)
      chmodSync(join(folder, name), 0o755)
    }
    const stubs = {
      'docker-compose': `echo '{"event":"summary"}'; [ "$*" = 'run --rm -T upload --json' ] && exit ${code}`,
    }
    const { status, lines } = runShell('-c', scriptOf('monitored-upload'), stubs, { cwd: folder })
    assert.equal(status, code)
    assert.deepEqual(lines, told)
  }
})
