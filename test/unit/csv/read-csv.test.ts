import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import type { FoundCsv } from '../../../src/csv/csv-file'
import { type CsvContent, type CsvReading, type Digest, readCsv } from '../../../src/csv/read-csv'
import { FileFailure, InterruptedFailure } from '../../../src/errors'
import { createMemory } from '../../../src/lib/memory'
import { editUnseen, TIME } from '../../support/edit-unseen'
import { catchFailureOf } from '../../support/failure'
import { makeTempFolder } from '../../support/temp-folder'

const KIB = 1024
const MIB = 1024 * KIB
/** What is read at once. */
const SLICE = 512 * KIB
const PART = 8 * MIB
const MEMORY = createMemory(64 * MIB, () => false)

const NEVER = new AbortController().signal

/** Content that no shift, swap or repetition of slices leaves as it is. */
function makeContent(size: number): Buffer {
  const content = Buffer.alloc(size)
  for (let offset = 0; offset + 4 <= size; offset += 4)
    content.writeUInt32LE(Math.imul(offset + 1, 2654435761) >>> 0, offset)
  return content
}

/** A file whose last change is long past, as file systems tell time. */
function place(content: Buffer | string): FoundCsv {
  const folder = makeTempFolder({ 'a.csv': content })
  const path = join(folder, 'a.csv')
  utimesSync(path, TIME, TIME)
  const changed = statSync(path).ctimeMs
  while (Date.now() < changed + 50) statSync(path)
  return { path, name: 'sub/a.csv', size: content.length }
}

interface Given {
  readonly partSize?: number
  readonly signal?: AbortSignal
  readonly check?: 'off' | 'warn' | 'strict'
  readonly known?: CsvContent | undefined
  readonly stats?: { bytesRead: number }
}

function open(
  found: FoundCsv,
  { partSize = PART, signal = NEVER, check = 'off', known, stats }: Given = {},
): CsvReading {
  return readCsv(found, { choosePartSize: () => partSize, signal, check, known, stats: stats ?? { bytesRead: 0 } })
}

/** Reads all of it without keeping it. */
async function skim(found: FoundCsv, given: Given = {}): Promise<Digest> {
  const csv = open(found, given)
  return await csv.skim(given.partSize ?? PART, MEMORY).finally(csv.close)
}

/** Reads it part by part, as an upload does; what was read, if it is one state of the file. */
async function readParts(found: FoundCsv, given: Given = {}): Promise<readonly Buffer[]> {
  const csv = open(found, given)
  const { partSize = PART } = given
  try {
    const parts: Buffer[] = []
    for (let part = 0; part < Math.max(1, Math.ceil(csv.size / partSize)); part += 1) {
      const { body, crc32: crc } = await csv.readPart(Buffer.alloc(partSize, 0xff))
      assert.equal(crc, crc32(body))
      parts.push(body)
    }
    await csv.assertUnchanged(() => csv.skim(partSize, MEMORY))
    return parts
  } finally {
    csv.close()
  }
}

/** A signal whose every look at it, one after each slice, does `step`: a way to act in the middle of a reading. */
function onEachSlice(step: (slice: number) => void): AbortSignal {
  const { signal } = new AbortController()
  let slice = 0
  signal.throwIfAborted = () => {
    step(slice)
    slice += 1
  }
  return signal
}

const cut = (content: Buffer, partSize: number) =>
  Array.from({ length: Math.max(1, Math.ceil(content.length / partSize)) }, (_, part) =>
    content.subarray(part * partSize, (part + 1) * partSize),
  )

async function refuseFile(reading: Promise<unknown>, code: string): Promise<FileFailure> {
  const failure = await catchFailureOf(reading)
  assert.ok(failure instanceof FileFailure)
  assert.deepEqual([failure.code, failure.exitCode], [code, 1])
  assert.ok(failure.message.startsWith('sub/a.csv '), failure.message)
  return failure
}

/** What this process has open below `folder`. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const target = readlinkSync(join('/proc/self/fd', fd))
      return target.startsWith(folder) ? [target] : []
    } catch {
      return []
    }
  })
}

describe('one reading', () => {
  const large = makeContent(2 * PART + SLICE + 1)
  for (const size of [
    ...[0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE - 1, 2 * SLICE, 3 * SLICE - 1],
    ...[PART - 1, PART, PART + 1, PART + SLICE, 2 * PART, 2 * PART + SLICE + 1],
  ]) {
    test(`${size} bytes: parts and checksums, of a reading that keeps the parts and of one that does not`, async () => {
      const content = large.subarray(0, size)
      const found = place(content)
      assert.deepEqual(await readParts(found), cut(content, PART))
      const { partCrc32s, crc32: whole, partSize } = await skim(found)
      assert.deepEqual(
        [partCrc32s, whole, partSize],
        [cut(content, PART).map(part => crc32(part)), crc32(content), PART],
      )
    })
  }

  test('every byte is read once, and the bytes are counted', async () => {
    const content = large.subarray(0, 2 * PART + 5)
    for (const read of [readParts, skim]) {
      const stats = { bytesRead: 0 }
      await read(place(content), { stats })
      assert.equal(stats.bytesRead, content.length)
    }
  })

  test('parts of any size, which slices need not fit', async () => {
    const sizes = fc.record({ partSize: fc.integer({ min: SLICE / 8, max: 3 * SLICE }), size: fc.nat(5 * SLICE) })
    await fc.assert(
      fc.asyncProperty(sizes, async ({ partSize, size }) => {
        const content = large.subarray(0, size)
        const found = place(content)
        const digest = await skim(found, { partSize })
        assert.deepEqual(await readParts(found, { partSize }), cut(content, partSize))
        rmSync(found.path)
        assert.equal(digest.crc32, crc32(content))
        assert.deepEqual(
          digest.partCrc32s,
          cut(content, partSize).map(part => crc32(part)),
        )
      }),
      { numRuns: 20 },
    )
  })

  test('a reading begins again with parts of another size, and its content is the same', async () => {
    const content = large.subarray(0, 3 * SLICE)
    const csv = open(place(content), { partSize: SLICE })
    await csv.readPart(Buffer.alloc(SLICE))
    csv.restart(2 * SLICE)
    const parts = [await csv.readPart(Buffer.alloc(2 * SLICE)), await csv.readPart(Buffer.alloc(2 * SLICE))]
    csv.close()
    assert.deepEqual(
      parts.map(({ body }) => body),
      cut(content, 2 * SLICE),
    )
    assert.equal(csv.content?.digest.crc32, crc32(content))
  })
})

describe('what a file looks like', () => {
  for (const check of ['warn', 'strict'] as const) {
    for (const read of [readParts, skim]) {
      test(`is learned on the way by ${read.name} if CSV_CHECK is ${check}`, async () => {
        const csv = open(place('title;year\nAlien;1979\nAliens;1986\n'), { check })
        if (read === skim) await csv.skim(PART, MEMORY)
        else await csv.readPart(Buffer.alloc(PART))
        csv.close()
        const { columns, delimiter, faults } = csv.content?.shape ?? {}
        assert.deepEqual([columns, delimiter, faults], [2, ';', []])
      })
    }
  }
  test('is not looked at if CSV_CHECK is off', async () => {
    const csv = open(place('a,b\n'))
    await csv.skim(PART, MEMORY).finally(csv.close)
    assert.equal(csv.content?.shape, undefined)
  })
})

describe('a file that changes while it is read', () => {
  const content = makeContent(3 * SLICE)
  const changes: readonly (readonly [string, (path: string) => void])[] = [
    ['grows', path => appendFileSync(path, 'x')],
    ['shrinks', path => truncateSync(path, SLICE)],
    ['is emptied', path => truncateSync(path, 0)],
    ['is edited in place', path => writeFileSync(path, makeContent(3 * SLICE), { flag: 'r+' })],
    ['has its time set', path => utimesSync(path, 1, 1)],
    ['is edited in place where it was read already, and has its old time again', path => editUnseen(path, 0)],
  ]
  for (const [what, change] of changes) {
    for (const at of [0, 1, 2]) {
      test(`${what} after slice ${at}: it is refused`, async () => {
        const found = place(content)
        const signal = onEachSlice(slice => {
          if (slice === at) change(found.path)
        })
        const failure = await refuseFile(readParts(found, { signal }), 'changed_while_reading')
        assert.equal(failure.retryable, true)
        assert.deepEqual(openBelow(found.path), [])
      })
    }
  }

  test('an empty file that is filled is refused', async () => {
    const found = place('')
    const csv = open(found)
    await csv.readPart(Buffer.alloc(0))
    appendFileSync(found.path, 'a,b\n')
    await refuseFile(csv.assertUnchanged(() => csv.skim(PART, MEMORY)).finally(csv.close), 'changed_while_reading')
  })

  for (const [what, change] of [
    ['gets new rights', path => chmodSync(path, 0o640)],
    ['gets another name', path => linkSync(path, `${path}.too`)],
    ['is removed', path => rmSync(path)],
    [
      'is replaced by another file',
      path => {
        writeFileSync(`${path}.new`, 'something else')
        renameSync(`${path}.new`, path)
      },
    ],
  ] as readonly (readonly [string, (path: string) => void])[]) {
    test(`a file that ${what} is read as it was opened: a second reading proves it`, async () => {
      const found = place(content)
      const stats = { bytesRead: 0 }
      const signal = onEachSlice(slice => {
        if (slice === 1) change(found.path)
      })
      assert.deepEqual(await readParts(found, { signal, stats }), [content])
      assert.equal(stats.bytesRead, 2 * content.length)
    })
  }

  test('a file that was changed in the moment before it was opened is read twice', async () => {
    const found = place(content)
    // A time that is still to come: nothing tells whether a change comes after it.
    const soon = Date.now() / 1000 + 3600
    const { now } = Date
    const stats = { bytesRead: 0 }
    try {
      Date.now = () => now() - soon
      await readParts(found, { stats })
    } finally {
      Date.now = now
    }
    assert.equal(stats.bytesRead, 2 * content.length)
  })

  test('a second reading that gives another content than the first is refused', async () => {
    const found = place(content)
    const csv = open(found)
    await csv.skim(PART, MEMORY)
    editUnseen(found.path, SLICE)
    await refuseFile(csv.skim(PART, MEMORY).finally(csv.close), 'changed_while_reading')
  })

  test('what an earlier reading learnt holds for the next one: another content is refused', async () => {
    const found = place(content)
    const first = open(found, { check: 'strict' })
    await first.skim(PART, MEMORY).finally(first.close)
    assert.deepEqual(await readParts(found, { known: first.content }), [content])
    editUnseen(found.path, SLICE)
    await refuseFile(readParts(found, { known: first.content }), 'changed_while_reading')
  })
})

describe('a file that cannot be read', () => {
  test('it was removed after it was found', async () => {
    const found = place('a')
    rmSync(found.path)
    const failure = await refuseFile(skim(found), 'unreadable')
    assert.equal(failure.message, 'sub/a.csv cannot be read (ENOENT).')
    assert.match(failure.advice, /keep files in place/)
  })
  test('a link took its place: it is not followed', async () => {
    const found = place('a')
    renameSync(found.path, `${found.path}.away`)
    symlinkSync(`${found.path}.away`, found.path)
    const failure = await refuseFile(skim(found), 'unreadable')
    assert.equal(failure.message, 'sub/a.csv cannot be read (ELOOP).')
    assert.match(failure.advice, /symbolic link/)
  })
  test('a link took the place of its folder: it is not followed', async () => {
    const found = place('a')
    const folder = dirname(found.path)
    const away = join(makeTempFolder(), 'away')
    renameSync(folder, away)
    symlinkSync(away, folder)
    const failure = await refuseFile(skim(found), 'unreadable')
    assert.equal(failure.message, 'sub/a.csv cannot be read (ELOOP).')
    assert.deepEqual(openBelow(away), [])
  })
  for (const [what, put] of [
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdirSync(path)],
  ] as const) {
    test(`${what} took its place: it is not waited for`, async () => {
      const found = place('a')
      rmSync(found.path)
      put(found.path)
      const failure = await refuseFile(skim(found), 'unreadable')
      assert.match(failure.message, /not a regular file/)
      assert.deepEqual(openBelow(found.path), [])
    })
  }
})

test('a stop ends the reading within a slice, and closes the file', async () => {
  const found = place(makeContent(4 * SLICE))
  const controller = new AbortController()
  const stop = new InterruptedFailure('SIGTERM')
  let slices = 0
  const signal = onEachSlice(slice => {
    slices += 1
    if (slice === 1) controller.abort(stop)
    controller.signal.throwIfAborted()
  })
  assert.equal(await catchFailureOf(skim(found, { signal })), stop)
  assert.equal(slices, 2)
  assert.deepEqual(openBelow(found.path), [])
})
