import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { findCsv } from '../../../src/csv/find-csv'
import { ConfigFailure } from '../../../src/errors'
import { catchFailureOf } from '../../support/failure'
import { makeTempFolder } from '../../support/temp-folder'

const CSV = 'a,b\n1,2\n'

const NEVER = new AbortController().signal

async function find(...paths: string[]) {
  const found = await findCsv(paths, NEVER)
  return { ...found, names: found.files.map(({ name }) => name) }
}
const namesIn = async (...paths: string[]) => (await find(...paths)).names

async function refuseFind(paths: readonly string[]): Promise<ConfigFailure> {
  const failure = await catchFailureOf(findCsv(paths, NEVER))
  assert.ok(failure instanceof ConfigFailure)
  assert.equal(failure.exitCode, 2)
  return failure
}

test('.csv files of a folder and its sub-folders are found, in any case, in the order of their names', async () => {
  const top = { 'b.csv': CSV, 'a.CSV': CSV, 'c.Csv': '' }
  const folder = makeTempFolder({ ...top, 'sub/deep.csv': CSV, 'sub/x/deeper.csv': CSV })
  const { files, names, passedOver } = await find(folder)
  assert.deepEqual(names, ['a.CSV', 'b.csv', 'c.Csv', 'sub/deep.csv', 'sub/x/deeper.csv'])
  assert.deepEqual(passedOver, [])
  for (const { path, name } of files) assert.equal(path, join(folder, name))
})

test('names with spaces, accents or a line break are found as they are', async () => {
  const names = ['a b.csv', 'line\nbreak.csv', 'sub/b..csv', 'séries.csv']
  const folder = makeTempFolder(Object.fromEntries(names.map(name => [name, CSV])))
  assert.deepEqual(await namesIn(folder), names)
})

for (const [what, names, reasons] of [
  [
    'what an operating system or a program leaves behind',
    ['._a.csv', '.hidden.csv', 'sub/~$a.csv', 'lost+found/a.csv'],
    ['._a.csv (hidden)', '.hidden.csv (hidden)', 'lost+found/ (of the file system)', 'sub/~$a.csv (of Excel)'],
  ],
  [
    'what is not .csv',
    ['notes.txt', 'a.csv.gz', 'acsv', 'sub/b.tsv'],
    ['a.csv.gz (not .csv)', 'acsv (not .csv)', 'notes.txt (not .csv)', 'sub/b.tsv (not .csv)'],
  ],
  ['what is in hidden folders', ['.git/b.csv', 'sub/.cache/c.csv'], ['.git/ (hidden)', 'sub/.cache/ (hidden)']],
] as const) {
  test(`${what} is passed over, and named with the reason`, async () => {
    const folder = makeTempFolder(Object.fromEntries(['a.csv', ...names].map(name => [name, CSV])))
    const { names: found, passedOver } = await find(folder)
    assert.deepEqual(found, ['a.csv'])
    assert.deepEqual([...passedOver].sort(), reasons)
  })
}

test('a hidden folder that is asked for by name is read', async () =>
  assert.deepEqual(await namesIn(join(makeTempFolder({ '.in/a.csv': CSV }), '.in')), ['a.csv']))

test('a link to a file within the folder is followed, under its own name', async () => {
  const folder = makeTempFolder({ 'sub/a.csv': CSV, 'data.txt': CSV })
  symlinkSync(join('sub', 'a.csv'), join(folder, 'link.csv'))
  symlinkSync(join('..', 'data.txt'), join(folder, 'sub', 'text.csv'))
  const { files } = await find(folder)
  assert.deepEqual(
    files.map(({ name, path }) => [name, relative(folder, path)]),
    [
      ['link.csv', 'sub/a.csv'],
      ['sub/a.csv', 'sub/a.csv'],
      ['sub/text.csv', 'data.txt'],
    ],
  )
})

test('files as a Kubernetes volume has them, links through a link to a folder with dots, are found', async () => {
  const folder = makeTempFolder({ '..2024_10_21/a.csv': CSV, '..2024_10_21/b.csv': CSV })
  symlinkSync('..2024_10_21', join(folder, '..data'))
  for (const name of ['a.csv', 'b.csv']) symlinkSync(join('..data', name), join(folder, name))
  assert.deepEqual(await namesIn(folder), ['a.csv', 'b.csv'])
})

test('links out of the folder, to nothing, to a folder and in a circle are passed over, and named', async () => {
  const root = makeTempFolder({ 'in/a.csv': CSV, 'in/sub/b.csv': CSV, 'out/secret.csv': CSV, 'in2/c.csv': CSV })
  const folder = join(root, 'in')
  for (const [link, target] of [
    ['out.csv', join(root, 'out', 'secret.csv')],
    ['out-relative.csv', join('..', 'out', 'secret.csv')],
    // A folder whose name merely begins with that of the folder.
    ['neighbour.csv', join(root, 'in2', 'c.csv')],
    ['gone.csv', 'nowhere.csv'],
    ['circle.csv', 'circle.csv'],
    ['folder.csv', 'sub'],
  ] as const) {
    symlinkSync(target, join(folder, link))
  }
  symlinkSync(join(root, 'out'), join(folder, 'linked'))
  const { names, passedOver } = await find(folder)
  assert.deepEqual(names, ['a.csv', 'sub/b.csv'])
  const reasons = Object.fromEntries(passedOver.map(text => /^(.*?) \((.*)\)$/.exec(text)?.slice(1) ?? [text]))
  const { linked, ...others } = reasons
  assert.ok(linked !== undefined, 'a linked folder is named')
  assert.deepEqual(others, {
    'out.csv': 'symbolic link out of the folder',
    'out-relative.csv': 'symbolic link out of the folder',
    'neighbour.csv': 'symbolic link out of the folder',
    'gone.csv': 'symbolic link to nothing',
    'circle.csv': 'symbolic link to nothing',
    'folder.csv': 'not a regular file',
  })
})

test('a pipe is passed over, and not opened', async () => {
  const folder = makeTempFolder({ 'a.csv': CSV })
  execFileSync('mkfifo', [join(folder, 'x.csv')])
  const { files, passedOver } = await find(folder)
  assert.equal(files.length, 1)
  assert.deepEqual(passedOver, ['x.csv (not a regular file)'])
})

test('a folder whose name ends in .csv is a folder', async () =>
  assert.deepEqual(await namesIn(makeTempFolder({ 'year.csv/a.csv': CSV })), ['year.csv/a.csv']))

test('a file whose name is not valid UTF-8 is not silently left behind', async () => {
  const folder = makeTempFolder({ 'a.csv': CSV })
  writeFileSync(Buffer.concat([Buffer.from(join(folder, 's')), Buffer.from([0xe9]), Buffer.from('.csv')]), CSV)
  const { names, passedOver } = await find(folder)
  assert.deepEqual(names, ['a.csv', 's\ufffd.csv'])
  assert.deepEqual(passedOver, [])
})

test('a file that is named itself counts as in its own folder', async () => {
  const folder = makeTempFolder({ 'sub/deep.csv': CSV, 'sub/other.csv': CSV })
  const { files } = await find(join(folder, 'sub', 'deep.csv'))
  assert.deepEqual(files, [{ path: join(folder, 'sub', 'deep.csv'), name: 'deep.csv', size: CSV.length }])
})

test('what is named twice, itself or by its folder, is one file', async () => {
  const folder = makeTempFolder({ 'a.csv': CSV })
  assert.deepEqual(await namesIn(join(folder, 'a.csv'), folder, join(folder, '.', 'a.csv')), ['a.csv'])
})

test('a link that is named itself is followed wherever it leads, under its own name', async () => {
  const root = makeTempFolder({ 'out/data.csv': CSV, 'out/more.csv': CSV, 'in/.keep': '' })
  symlinkSync(join(root, 'out', 'data.csv'), join(root, 'in', 'link.csv'))
  symlinkSync(join(root, 'out'), join(root, 'in', 'folder'))
  const { files } = await find(join(root, 'in', 'link.csv'))
  assert.deepEqual(
    files.map(({ name, path }) => [name, path]),
    [['link.csv', join(root, 'out', 'data.csv')]],
  )
  assert.deepEqual(await namesIn(join(root, 'in', 'folder')), ['data.csv', 'more.csv'])
})

test('several paths are one run, in the order of the names', async () => {
  const folder = makeTempFolder({ '1/z.csv': CSV, '2/a.csv': CSV, 'm.csv': CSV })
  assert.deepEqual(await namesIn(join(folder, '1'), join(folder, 'm.csv'), join(folder, '2')), [
    'a.csv',
    'm.csv',
    'z.csv',
  ])
})

test('a path that is neither .csv nor a folder is passed over, and named', async () => {
  const folder = makeTempFolder({ 'a.csv': CSV, 'b.txt': '' })
  const { files, passedOver } = await find(join(folder, 'a.csv'), join(folder, 'b.txt'))
  assert.equal(files.length, 1)
  assert.deepEqual(passedOver, [`${join(folder, 'b.txt')} (not .csv)`])
})

test('a path that does not exist ends the run, even where another one has files', async () => {
  const folder = makeTempFolder({ 'a.csv': CSV })
  const failure = await refuseFind([folder, join(folder, 'nowhere')])
  assert.equal(failure.code, 'no_files')
  assert.equal(failure.message, `${join(folder, 'nowhere')} does not exist.`)
})

test('a path below a file ends the run', async () => {
  const folder = makeTempFolder({ 'a.csv': CSV })
  assert.match((await refuseFind([join(folder, 'a.csv', 'b.csv')])).message, /cannot be read \(ENOTDIR\)/)
})

test('an empty folder ends the run, and is named', async () => {
  const folder = makeTempFolder()
  const failure = await refuseFind([folder])
  assert.equal(failure.code, 'no_files')
  assert.equal(failure.message, `No .csv file in ${folder}.`)
})

test('a folder with other files only ends the run, and says what is there', async () => {
  const folder = makeTempFolder({ 'a.tsv': '' })
  mkdirSync(join(folder, 'empty'))
  assert.equal((await refuseFind([folder])).message, `No .csv file in ${folder}, only a.tsv (not .csv).`)
})
