/** The object key of a file: pure, and without a clock. */
import { UTCDateMini } from '@date-fns/utc/date/mini'
import { format } from 'date-fns/format'
import { ConfigFailure, FileFailure } from '../errors'

/** The parts of a key that are the same for every file of a run. */
export interface Names {
  readonly layer: string
  readonly source: string
  readonly format: string
}

/** How keys are made. */
export interface Layout {
  readonly template: string
  readonly names: Names
  /** `plain` joins the words of a dataset's name as `TvShows`, `hive` as `tv_shows`. */
  readonly datasetStyle: 'plain' | 'hive'
}

/** `{field}` or `{date:tokens}`. */
export const PLACEHOLDER = /\{([^{}]*)\}/g

/** S3's limit for a key in UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024

/**
 * The key for the file `name` (its path relative to the folder it came from, with `/`) on `runDate` (`YYYY-MM-DD`).
 * Keys are in Unicode's composed form (NFC), so that a file copied through macOS keeps its key.
 * @throws FileFailure if the name gives no dataset or no possible key.
 */
export function buildKey(name: string, runDate: string, layout: Layout): string {
  const key = fillIn(layout, name, runDate)
  const why = describeImpossible(key)
  if (why !== undefined) throw refuseKey(name, why)
  return key
}

/** The layout with its placeholders filled in, possible or not. */
export function fillIn({ template, names, datasetStyle }: Layout, name: string, runDate: string): string {
  const key = template.replace(PLACEHOLDER, (_, field: string) => {
    if (field === 'file') return name
    if (field === 'dataset') return nameDataset(name, datasetStyle)
    if (field.startsWith('date:')) return writeDate(runDate, field.slice('date:'.length))
    return names[field as keyof Names]
  })
  return key.normalize('NFC')
}

/** Why S3, or a client of it, could not deal with `key`; `undefined` if all can. */
export function describeImpossible(key: string): string | undefined {
  const bytes = Buffer.byteLength(key)
  if (bytes > MAX_KEY_BYTES) return `its key would have ${bytes} bytes, and S3 allows ${MAX_KEY_BYTES}`
  if (/\p{Cc}/u.test(key)) return 'its key would hold a control character'
  if (/\p{Cs}|\uFFFD/u.test(key)) return 'its name is not valid Unicode'
  if (key.split('/').some(segment => segment === '' || segment === '.' || segment === '..')) {
    return `its key would be ${key}, and an empty, "." or ".." part does not survive every client`
  }
  return undefined
}

/**
 * The key of each of `files`, built once, by `buildKey`.
 * @returns a function that gives the key of a file, and throws the `FileFailure` of one that has none
 * @throws ConfigFailure if two files would land on one key; files without a key do not land
 */
export function prepareKeys<File extends { readonly name: string; readonly path: string }>(
  files: readonly File[],
  runDate: string,
  layout: Layout,
): (file: File) => string {
  const keys = new Map<File, string | FileFailure>()
  const owners = new Map<string, File>()
  for (const file of files) {
    const key = findKey(file.name, runDate, layout)
    keys.set(file, key)
    if (typeof key !== 'string') continue
    const other = owners.get(key)
    if (other !== undefined) {
      throw new ConfigFailure(`${other.path} and ${file.path} would both land on the key ${key}.`, {
        code: 'key_collision',
        advice: 'Rename one of them, upload them in runs of their own, or choose a KEY_LAYOUT that keeps them apart.',
      })
    }
    owners.set(key, file)
  }
  return file => {
    const key = keys.get(file)
    if (typeof key === 'string') return key
    throw key ?? new Error(`${file.name} was not among the files of the run`)
  }
}

function findKey(...file: Parameters<typeof buildKey>): string | FileFailure {
  try {
    return buildKey(...file)
  } catch (error) {
    if (error instanceof FileFailure) return error
    throw error
  }
}

/** The key of the manifest of a run. Each share of a run has a manifest of its own. */
export function buildManifestKey(
  layout: Layout,
  runDate: string,
  shard: { readonly index: number; readonly count: number } | undefined,
): string {
  const share = shard === undefined ? '' : `-${shard.index}-of-${shard.count}`
  const template = `{layer}/{source}/{format}/_manifests/{date:yyyy-MM-dd}/manifest${share}.json`
  return fillIn({ ...layout, template }, '', runDate)
}

function nameDataset(name: string, style: Layout['datasetStyle']): string {
  const base = name
    .slice(name.lastIndexOf('/') + 1)
    .normalize('NFC')
    .replace(/\.csv$/i, '')
  // A combining mark without a composed form belongs to its letter.
  const words = base.split(/[^\p{L}\p{M}\p{N}]+/u).filter(word => word !== '')
  if (words.length === 0) throw refuseKey(name, 'its name has no letter or digit to name a dataset after')
  if (style === 'hive') return words.join('_').toLowerCase()
  return words.map(word => word.replace(/^./su, first => first.toUpperCase())).join('')
}

/** Dates as they were written: for many files a third of what a key takes. */
const written = new Map<string, string>()

/** Written in UTC: some days do not exist in some time zone (30 December 2011 in Apia). */
export function writeDate(date: string, tokens: string): string {
  const known = written.get(date + tokens)
  if (known !== undefined) return known
  // Without the options the date library warns on stderr of tokens that were checked here.
  const options = { useAdditionalDayOfYearTokens: true, useAdditionalWeekYearTokens: true }
  const text = format(new UTCDateMini(`${date}T00:00:00Z`), tokens, options)
  written.set(date + tokens, text)
  return text
}

function refuseKey(name: string, why: string): FileFailure {
  return new FileFailure(`${name} cannot be uploaded: ${why}.`, {
    code: 'key_not_possible',
    advice: 'Rename the file.',
  })
}
