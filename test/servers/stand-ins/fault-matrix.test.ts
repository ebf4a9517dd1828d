/**
 * Every fault × every kind of request × every size of file: each file ends landed and identical, or failed and
 * reported, and the run again without faults lands what is missing.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { FileReport } from '../../../src/report/file-report'
import { answerInstead, breakFirst, FAULTS, type Kind, kindOf } from '../../support/faults'
import { FAST_CLOCK, runJson } from '../../support/program'
import type { Fault, SeenRequest } from '../../support/proxy'
import { startServer, type TestServer } from '../../support/s3-server'
import { makeTempFolder } from '../../support/temp-folder'

const PART = 8 * 1024 * 1024
const SIZES = { empty: 0, small: 20, multipart: PART + 1 } as const

/** The requests that are about one file, with the sizes of files that they are sent for. */
const OF_A_FILE = {
  HeadObject: ['small', 'multipart'],
  PutObject: ['empty', 'small'],
  CreateMultipartUpload: ['multipart'],
  UploadPart: ['multipart'],
  CompleteMultipartUpload: ['multipart'],
} as const satisfies Partial<Record<Kind, readonly (keyof typeof SIZES)[]>>

/** The requests that are about all files. */
const OF_A_RUN = ['CreateBucket', 'ListObjectsV2'] as const satisfies readonly Kind[]

type Name = keyof typeof FAULTS

/** After the last attempt a server that keeps failing has failed the file: exit 6. */
const LASTING: readonly Name[] = [
  'a reset in the middle of the body',
  '500 InternalError',
  'a lost answer',
  'a truncated answer',
]

interface Case {
  readonly env: Readonly<Record<string, string>>
  readonly server: TestServer
  readonly contents: ReadonlyMap<string, Buffer>
}

type Row = readonly [kind: Kind, size: keyof typeof SIZES]

const ROWS = Object.entries(OF_A_FILE).flatMap(([kind, sizes]) => sizes.map((size): Row => [kind as Kind, size]))

const nameOf = ([kind, size]: Row) => `${kind}-${size}.csv`
const keyOf = (name: string) => `raw/${name}`

/** A file for each row, named after it; where a HeadObject is wanted, its key holds other content of its size. */
async function prepare(rows: readonly Row[]): Promise<Case> {
  const server = await startServer()
  const contents = new Map(rows.map(row => [nameOf(row), randomBytes(SIZES[row[1]])]))
  if (contents.has(nameOf(['HeadObject', 'small']))) {
    await server.createBucket()
    for (const [name, { length }] of contents) {
      if (name.startsWith('HeadObject')) await server.write(keyOf(name), randomBytes(length))
    }
  }
  const DATA_DIR = makeTempFolder(Object.fromEntries(contents))
  return { server, contents, env: { ...server.env, DATA_DIR, KEY_LAYOUT: 'raw/{file}', CSV_CHECK: 'off' } }
}

const run = ({ env }: Case, faster: Record<string, string> = FAST_CLOCK) => runJson({ ...env, ...faster })

/** The row whose kind of request this is, for the row's file; of the parts, the first. */
function rowOf(request: Pick<SeenRequest, 'method' | 'url'>, rows: readonly Row[]): Row | undefined {
  if (request.url.includes('partNumber=2')) return undefined
  return rows.find(row => kindOf(request) === row[0] && request.url.includes(nameOf(row)))
}

/** `fault` for the first `times` of the requests that have one label; without a label, none. */
function breakEach(
  fault: Fault,
  times: number,
  labelOf: (request: Pick<SeenRequest, 'method' | 'url'>) => string | undefined,
) {
  const hit = new Map<string, Fault>()
  const breakWith: TestServer['breakWith'] = request => {
    const label = labelOf(request)
    if (label === undefined) return undefined
    const broken = hit.get(label) ?? breakFirst(fault, times)
    hit.set(label, broken)
    return broken
  }
  return { hit, breakWith }
}

/** What must hold after any run: what is said to have landed has, and what failed says why. */
async function checkReports({ server, contents }: Case, files: readonly FileReport[]): Promise<void> {
  assert.deepEqual(files.map(({ file }) => file).sort(), [...contents.keys()].sort())
  for (const { file, outcome, error } of files) {
    if (outcome === 'failed') assert.ok(error?.message.includes(file) && error.advice !== '', JSON.stringify(error))
    else {
      assert.ok(outcome === 'uploaded' || outcome === 'unchanged', outcome)
      assert.ok((await server.read(keyOf(file))).body.equals(contents.get(file) ?? Buffer.alloc(1)), `${file} differs`)
    }
  }
}

/** Without faults, the same run lands everything. */
async function checkRerun(all: Case): Promise<void> {
  all.server.breakWith = () => undefined
  const { code, stdout, stderr, files } = await run(all, {})
  assert.equal(code, 0, `${stdout}${stderr}`)
  await checkReports(all, files)
}

const outcomesOf = (files: readonly FileReport[]) =>
  Object.fromEntries(files.map(({ file, outcome, error }) => [file, error?.code ?? outcome]))

const refusePart = answerInstead(400, 'EntityTooLarge')

describe('once', { concurrency: 6 }, () => {
  for (const [name, fault] of Object.entries<Fault>(FAULTS)) {
    const isCorrupting = name === 'another body than was sent'

    test(`${name}, in each request of a file: it lands, or is known to be wrong`, async () => {
      const aborted: Row = ['AbortMultipartUpload', 'multipart']
      const rows = [...ROWS, aborted]
      const all = await prepare(rows)
      // What is damaged stays damaged, also where it is sent again for another reason.
      const times = isCorrupting ? Infinity : 1
      const { hit, breakWith } = breakEach(fault, times, request => rowOf(request, rows)?.join())
      all.server.breakWith = request =>
        kindOf(request) === 'UploadPart' && request.url.includes(nameOf(aborted)) ? refusePart : breakWith(request)
      const { code, files } = await run(all)
      assert.equal(hit.size, rows.length, 'a request was never made')
      await checkReports(all, files)
      const failed = {
        // Its first part is refused, so that its upload is aborted: the abort is what is hit.
        [nameOf(aborted)]: 'refused_by_server',
        ...(isCorrupting
          ? { 'PutObject-small.csv': 'verify_mismatch', 'UploadPart-multipart.csv': 'verify_mismatch' }
          : {}),
      }
      assert.deepEqual(outcomesOf(files.filter(({ outcome }) => outcome === 'failed')), failed)
      assert.equal(code, 1)
      assert.deepEqual(
        files.flatMap(({ warnings }) => warnings).filter(warning => warning.includes('aborted')),
        [],
      )
      await checkRerun(all)
    })

    test(`${name}, in each request of a run: it goes on`, async () => {
      const all = await prepare([['other', 'small']])
      const { hit, breakWith } = breakEach(fault, 1, request => OF_A_RUN.find(kind => kind === kindOf(request)))
      all.server.breakWith = breakWith
      const { code, stdout, stderr, files } = await run(all)
      assert.equal(hit.size, OF_A_RUN.length, 'a request was never made')
      assert.equal(code, 0, `${stdout}${stderr}`)
      await checkReports(all, files)
    })
  }
})

describe('for good', { concurrency: 6 }, () => {
  for (const name of LASTING) {
    const fault: Fault = FAULTS[name]

    test(`${name}, in each request of a file: exit 6, and what is not hit lands`, async () => {
      const all = await prepare([...ROWS, ['other', 'small']])
      all.server.breakWith = request => (rowOf(request, ROWS) === undefined ? undefined : fault)
      const { code, files } = await run(all)
      assert.equal(code, 6)
      await checkReports(all, files)
      const expected = [...all.contents.keys()].map(file => [file, file.startsWith('other') ? 'uploaded' : 'endpoint'])
      assert.deepEqual(outcomesOf(files), Object.fromEntries(expected))
      await checkRerun(all)
    })

    test(`${name}, in a request of a run: exit 6, and nothing is sent`, async () => {
      const all = await prepare([['other', 'small']])
      for (const kind of OF_A_RUN) {
        // A listing only saves requests.
        if (kind === 'ListObjectsV2' && name === '500 InternalError') continue
        all.server.breakWith = request => (kindOf(request) === kind ? fault : undefined)
        const ended = await run(all)
        assert.equal(ended.code, 6, ended.stdout)
        assert.equal((ended.summary['error'] as { code: string } | undefined)?.code, 'endpoint')
        assert.equal(all.server.seen.filter(request => kindOf(request) === 'PutObject').length, 0)
      }
      await checkRerun(all)
    })

    test(`${name}, in an abort: the file has failed for its own reason, and the upload that stays is told`, async () => {
      const all = await prepare([['AbortMultipartUpload', 'multipart']])
      const broken: Partial<Record<Kind, Fault>> = { UploadPart: refusePart, AbortMultipartUpload: fault }
      all.server.breakWith = request => broken[kindOf(request)]
      const { code, file } = await run(all)
      assert.equal(code, 1)
      assert.equal(file?.error?.code, 'refused_by_server')
      assert.match(file.warnings.join(), /its unfinished upload was not aborted/)
      await checkRerun(all)
    })
  }
})
