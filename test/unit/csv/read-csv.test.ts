import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
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
import {
  type CsvFile,
  type FoundCsv,
  readPart,
  refuseChanged,
  refuseChangedPart,
  withOpenCsv,
} from '../../../src/csv/csv-file'
import { cutAnew, readCsv } from '../../../src/csv/read-csv'
import { FileFailure, InterruptedFailure } from '../../../src/errors'
import { catchFailure, catchFailureOf } from '../../support/failure'
import { makeTempFolder } from '../../support/temp-folder'

const KIB = 1024
const MIB = 1024 * KIB
const CHUNK = 512 * KIB
const PART = 8 * MIB

const NEVER = new AbortController().signal

/** Content that no shift, swap or repetition of chunks leaves as it is. */
function makeContent(size: number): Buffer {
  const content = Buffer.alloc(size)
  for (let offset = 0; offset + 4 <= size; offset += 4)
    content.writeUInt32LE(Math.imul(offset + 1, 2654435761) >>> 0, offset)
  return content
}

function place(content: Buffer | string, partSize = PART): FoundCsv {
  const folder = makeTempFolder({ 'a.csv': content })
  return { path: join(folder, 'a.csv'), name: 'sub/a.csv', size: content.length, partSize }
}

/** A signal whose every look at it, one after each chunk, does `step`: a way to act in the middle of a reading. */
function onEachChunk(step: (chunk: number) => void): AbortSignal {
  const { signal } = new AbortController()
  let chunk = 0
  signal.throwIfAborted = () => {
    step(chunk)
    chunk += 1
  }
  return signal
}

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

describe('size and checksums', () => {
  const large = makeContent(2 * PART + CHUNK + 1)
  for (const size of [
    ...[1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 1],
    ...[PART - 1, PART, PART + 1, PART + CHUNK, 2 * PART, 2 * PART + CHUNK + 1],
  ]) {
    test(`${size} bytes`, async () => {
      const content = large.subarray(0, size)
      const found = place(content)
      const file = await readCsv(found, 'off', NEVER)
      const parts = Array.from({ length: Math.ceil(size / PART) }, (_, part) =>
        crc32(content.subarray(part * PART, (part + 1) * PART)),
      )
      assert.deepEqual(file.partCrc32s, parts)
      assert.equal(file.crc32, crc32(content))
      assert.equal(file.size, size)
      assert.deepEqual([file.path, file.name, file.partSize], [found.path, found.name, PART])
    })
  }
  test('an empty file has one empty part', async () => {
    const file = await readCsv(place(''), 'off', NEVER)
    assert.deepEqual([file.size, file.partCrc32s, file.crc32], [0, [0], 0])
  })
  for (const partSize of [CHUNK - 1, CHUNK + 1, 2 * CHUNK - 1, 1000]) {
    test(`parts of ${partSize} bytes, of which chunks are no multiple`, async () => {
      const content = large.subarray(0, 3 * CHUNK + 5)
      const parts = Array.from({ length: Math.ceil(content.length / partSize) }, (_, part) =>
        crc32(content.subarray(part * partSize, (part + 1) * partSize)),
      )
      assert.deepEqual((await readCsv(place(content, partSize), 'off', NEVER)).partCrc32s, parts)
    })
  }
  test('parts of any size, which chunks need not fit', async () => {
    const sizes = fc.record({ partSize: fc.integer({ min: CHUNK / 8, max: 3 * CHUNK }), size: fc.nat(5 * CHUNK) })
    await fc.assert(
      fc.asyncProperty(sizes, async ({ partSize, size }) => {
        const content = large.subarray(0, size)
        const found = place(content, partSize)
        const file = await readCsv(found, 'off', NEVER)
        rmSync(found.path)
        assert.equal(file.crc32, crc32(content))
        const parts = Array.from({ length: Math.max(1, Math.ceil(size / partSize)) }, (_, part) =>
          crc32(content.subarray(part * partSize, (part + 1) * partSize)),
        )
        assert.deepEqual(file.partCrc32s, parts)
      }),
      { numRuns: 20 },
    )
  })
})

describe('what a file looks like', () => {
  for (const check of ['warn', 'strict'] as const) {
    test(`is learned on the way where CSV_CHECK is ${check}`, async () => {
      const { shape } = await readCsv(place('title;year\nAlien;1979\nAliens;1986\n'), check, NEVER)
      assert.deepEqual([shape?.rows, shape?.columns, shape?.delimiter, shape?.faults], [3, 2, ';', []])
    })
  }
  test('is not looked at where CSV_CHECK is off', async () =>
    assert.ok(!('shape' in (await readCsv(place('a,b\n'), 'off', NEVER)))))
  test('changes neither size nor checksums', async () => {
    const found = place(makeContent(3 * CHUNK + 1), CHUNK)
    const [looked, not] = [await readCsv(found, 'warn', NEVER), await readCsv(found, 'off', NEVER)]
    assert.deepEqual([looked.size, looked.crc32, looked.partCrc32s], [not.size, not.crc32, not.partCrc32s])
  })
})

describe('a file that is cut anew', () => {
  const content = makeContent(3 * CHUNK)
  test('has the checksums of its new parts, and the same whole', async () => {
    const found = place(content, CHUNK)
    const file = await readCsv(found, 'off', NEVER)
    const cut = await cutAnew(file, 2 * CHUNK, NEVER)
    assert.deepEqual([cut.partSize, cut.size, cut.crc32], [2 * CHUNK, file.size, crc32(content)])
    assert.deepEqual(cut.partCrc32s, [crc32(content.subarray(0, 2 * CHUNK)), crc32(content.subarray(2 * CHUNK))])
  })
  test('is not read again for the parts that it has', async () => {
    const file = await readCsv(place(content, CHUNK), 'off', NEVER)
    rmSync(file.path)
    assert.equal(await cutAnew(file, CHUNK, NEVER), file)
  })
  for (const [what, change] of [
    ['was touched', (path: string) => utimesSync(path, 1, 1)],
    ['was edited', (path: string) => writeFileSync(path, Buffer.alloc(content.length), { flag: 'r+' })],
    ['grew', (path: string) => appendFileSync(path, 'x')],
    [
      'was edited and has its old time again',
      (path: string) => {
        const { atime, mtime } = statSync(path)
        writeFileSync(path, Buffer.alloc(content.length), { flag: 'r+' })
        utimesSync(path, atime, mtime)
      },
    ],
  ] as const) {
    test(`is refused where it ${what} in between`, async () => {
      const found = place(content, CHUNK)
      utimesSync(found.path, 1_000_000_000, 1_000_000_000)
      const file = await readCsv(found, 'off', NEVER)
      change(found.path)
      await refuseFile(cutAnew(file, 2 * CHUNK, NEVER), 'changed_while_reading')
    })
  }
})

describe('a file that changes while it is read', () => {
  const content = makeContent(3 * CHUNK)
  const changes: readonly (readonly [string, (path: string) => void])[] = [
    ['grows', path => appendFileSync(path, 'x')],
    ['shrinks', path => truncateSync(path, CHUNK)],
    ['is emptied', path => truncateSync(path, 0)],
    ['is edited in place', path => writeFileSync(path, makeContent(3 * CHUNK), { flag: 'r+' })],
    ['has its time set', path => utimesSync(path, 1, 1)],
  ]
  for (const [what, change] of changes) {
    for (const at of [0, 1, 2]) {
      test(`${what} after chunk ${at}`, async () => {
        const found = place(content)
        const signal = onEachChunk(chunk => {
          if (chunk === at) change(found.path)
        })
        const failure = await refuseFile(readCsv(found, 'off', signal), 'changed_while_reading')
        assert.equal(failure.retryable, true)
        assert.match(failure.message, /changed while reading/)
        assert.deepEqual(openBelow(found.path), [])
      })
    }
  }
  test('an empty file that is filled', async () => {
    const found = place('')
    const signal = onEachChunk(() => appendFileSync(found.path, 'a,b\n'))
    await refuseFile(readCsv(found, 'off', signal), 'changed_while_reading')
  })
})

describe('a file that cannot be read', () => {
  test('it was removed after it was found', async () => {
    const found = place('a')
    rmSync(found.path)
    const failure = await refuseFile(readCsv(found, 'off', NEVER), 'unreadable')
    assert.equal(failure.message, 'sub/a.csv cannot be read (ENOENT).')
    assert.match(failure.advice, /keep files in place/)
  })
  test('a link took its place: it is not followed', async () => {
    const found = place('a')
    renameSync(found.path, `${found.path}.away`)
    symlinkSync(`${found.path}.away`, found.path)
    const failure = await refuseFile(readCsv(found, 'off', NEVER), 'unreadable')
    assert.equal(failure.message, 'sub/a.csv cannot be read (ELOOP).')
    assert.match(failure.advice, /symbolic link/)
  })
  test('a link took the place of its folder: it is not followed', async () => {
    const found = place('a')
    const folder = dirname(found.path)
    const away = join(makeTempFolder(), 'away')
    renameSync(folder, away)
    symlinkSync(away, folder)
    const failure = await refuseFile(readCsv(found, 'off', NEVER), 'unreadable')
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
      const failure = await refuseFile(readCsv(found, 'off', NEVER), 'unreadable')
      assert.match(failure.message, /not a regular file/)
      assert.deepEqual(openBelow(found.path), [])
    })
  }
})

test('a stop ends the reading within a chunk, and closes the file', async () => {
  const found = place(makeContent(4 * CHUNK))
  const controller = new AbortController()
  const stop = new InterruptedFailure('SIGTERM')
  let chunks = 0
  const signal = onEachChunk(chunk => {
    chunks += 1
    if (chunk === 1) controller.abort(stop)
    controller.signal.throwIfAborted()
  })
  assert.equal(await catchFailureOf(readCsv(found, 'off', signal)), stop)
  assert.equal(chunks, 2)
  assert.deepEqual(openBelow(found.path), [])
})

describe('the second reading, part by part', () => {
  const content = makeContent(2 * CHUNK + 10)
  const read = async (): Promise<CsvFile> => await readCsv(place(content, CHUNK), 'off', NEVER)
  const readAgain = (file: CsvFile, index: number) =>
    withOpenCsv(file, async csv => Buffer.from(await readPart(csv, file, index, Buffer.alloc(CHUNK, 0xff))))
  for (const index of [0, 1, 2]) {
    test(`part ${index} is what was read, and no longer`, async () =>
      assert.deepEqual(
        await readAgain(await read(), index),
        content.subarray(index * CHUNK, Math.min((index + 1) * CHUNK, content.length)),
      ))
  }
  test('an empty file has an empty part', async () =>
    assert.equal((await readAgain(await readCsv(place(''), 'off', NEVER), 0)).length, 0))

  test('an edit that keeps size and time is seen by the checksum of its part', async () => {
    const file = await read()
    const { atime, mtime } = statSync(file.path)
    const edited = Buffer.from(content)
    edited[CHUNK] = (edited[CHUNK] ?? 0) ^ 1
    writeFileSync(file.path, edited, { flag: 'r+' })
    utimesSync(file.path, atime, mtime)
    assert.equal((await readAgain(file, 0)).length, CHUNK)
    const other = await readAgain(file, 1)
    const failure = catchFailure(() => refuseChangedPart(other, file.partCrc32s[1] ?? 0, file.name))
    assert.equal(failure.code, 'changed_while_reading')
    refuseChangedPart(await readAgain(file, 2), file.partCrc32s[2] ?? 0, file.name)
  })
  test('a file that was cut off is seen', async () => {
    const file = await read()
    truncateSync(file.path, CHUNK + 1)
    await refuseFile(readAgain(file, 1), 'changed_while_reading')
    await refuseFile(readAgain(file, 2), 'changed_while_reading')
  })

  const stampChanges: readonly (readonly [string, (path: string) => void])[] = [
    ['grew', path => appendFileSync(path, 'x')],
    ['was touched', path => utimesSync(path, 1, 1)],
    [
      'grew and has its old time again',
      path => {
        const { atime, mtime } = statSync(path)
        appendFileSync(path, 'x')
        utimesSync(path, atime, mtime)
      },
    ],
    ['was removed', path => rmSync(path)],
    [
      'was replaced by a copy of the same size and time',
      path => {
        const { atime, mtime } = statSync(path)
        writeFileSync(`${path}.copy`, content)
        utimesSync(path, atime, mtime)
        utimesSync(`${path}.copy`, atime, mtime)
        renameSync(`${path}.copy`, path)
      },
    ],
  ]
  for (const [what, change] of stampChanges) {
    test(`a file that ${what} is refused`, async () => {
      const found = place(content, CHUNK)
      // A time in whole seconds can be set again to the nanosecond.
      utimesSync(found.path, 1_000_000_000, 1_000_000_000)
      const file = await readCsv(found, 'off', NEVER)
      change(file.path)
      assert.equal(catchFailure(() => refuseChanged(file)).code, 'changed_while_reading')
    })
  }
  test('a file that did not change is not refused', async () => {
    refuseChanged(await read())
  })
})
