/** The object key of a file: pure, and without a clock. */
import { UTCDateMini } from '@date-fns/utc/date/mini'
import { format } from 'date-fns/format'
import { ConfigFailure, Failure, FileFailure } from './errors'

/** The parts of a key that are the same for every file of a run. */
interface Names {
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

const PLAIN = '{layer}/{source}/{format}/{dataset}/{date:yyyy}/{date:MM}/{date:dd}/{file}'
const HIVE = '{layer}/{source}/{format}/{dataset}/year={date:yyyy}/month={date:MM}/day={date:dd}/{file}'

/** The date-fns tokens that a calendar date can fill: it has no hour and no zone. */
const DATE_TOKENS = /^[GyYRuQqMLwIdDEeicoP]*$/
/** Day of the year and week-numbering year, which stand where `dd` and `yyyy` were meant. */
const MISTAKEN_TOKENS = /(?<!D)DD?(?![Do])|(?<!Y)(YY|YYYY)(?![Yo])/
const PLACEHOLDER = /\{([^{}]*)\}/g

/** S3's limit for a key in UTF-8. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024

/**
 * Turns the value of `KEY_LAYOUT` into a layout.
 * @throws ConfigFailure where a template does not hold `{file}`, or holds what cannot be filled in.
 */
export function parseLayout(text: string, names: Names): Layout {
  if (text === 'plain') return { template: PLAIN, names, datasetStyle: 'plain' }
  if (text === 'hive') {
    const { layer, source, format } = names
    const lower = { layer: layer.toLowerCase(), source: source.toLowerCase(), format: format.toLowerCase() }
    return { template: HIVE, names: lower, datasetStyle: 'hive' }
  }
  if (!text.includes('{file}'))
    throw refuseLayout(text, text.includes('{') ? 'it does not hold {file}' : 'there is no layout of that name')
  if (/[{}]/.test(text.replace(PLACEHOLDER, ''))) throw refuseLayout(text, 'a brace in it has no partner')
  for (const [whole, field = ''] of text.matchAll(PLACEHOLDER)) {
    const tokens = /^date:(.+)$/s.exec(field)?.[1]
    const known = ['layer', 'source', 'format', 'dataset', 'file'].includes(field)
    if (!known && (tokens === undefined || !isDatePattern(tokens)))
      throw refuseLayout(text, `${whole} cannot be filled in`)
  }
  return { template: text, names, datasetStyle: 'plain' }
}

/**
 * The key for the file `name` (its path relative to the folder it came from, with `/`) on `runDate` (`YYYY-MM-DD`).
 * Keys are in Unicode's composed form (NFC), so that a file copied through macOS keeps its key.
 * @throws FileFailure where the name gives no dataset or no possible key.
 */
export function buildKey(name: string, runDate: string, layout: Layout): string {
  const key = layout.template
    .replace(PLACEHOLDER, (_, field: string) => {
      if (field === 'file') return name
      if (field === 'dataset') return nameDataset(name, layout.datasetStyle)
      if (field.startsWith('date:')) return writeDate(runDate, field.slice('date:'.length))
      return layout.names[field as keyof Names]
    })
    .normalize('NFC')
  const bytes = Buffer.byteLength(key)
  if (bytes > MAX_KEY_BYTES) throw refuseKey(name, `its key would have ${bytes} bytes, and S3 allows ${MAX_KEY_BYTES}`)
  if (/\p{Cc}/u.test(key)) throw refuseKey(name, 'its key would hold a control character')
  if (/\p{Cs}|\uFFFD/u.test(key)) throw refuseKey(name, 'its name is not valid Unicode')
  if (key.split('/').some(segment => segment === '' || segment === '.' || segment === '..')) {
    throw refuseKey(name, `its key would be ${key}, and an empty, "." or ".." part does not survive every client`)
  }
  return key
}

/**
 * Refuses the run when two files would land on one key; files without a key do not land.
 * @throws ConfigFailure
 */
export function refuseCollisions(files: readonly { readonly name: string; readonly key: string | Failure }[]): void {
  const owners = new Map<string, string>()
  for (const { name, key } of files) {
    if (key instanceof Failure) continue
    const other = owners.get(key)
    if (other !== undefined) {
      throw new ConfigFailure(`${other} and ${name} would both land on the key ${key}.`, {
        code: 'key_collision',
        advice: 'Rename one of them, upload them in runs of their own, or choose a KEY_LAYOUT that keeps them apart.',
      })
    }
    owners.set(key, name)
  }
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

/** Written in UTC: some days do not exist in some time zone (30 December 2011 in Apia). */
function writeDate(date: string, tokens: string): string {
  // Without the options the date library warns on stderr of tokens that were checked here.
  const options = { useAdditionalDayOfYearTokens: true, useAdditionalWeekYearTokens: true }
  return format(new UTCDateMini(`${date}T00:00:00Z`), tokens, options)
}

function isDatePattern(tokens: string): boolean {
  const bare = tokens.replace(/'[^']*'/g, ' ')
  if (!DATE_TOKENS.test(bare.replace(/[^A-Za-z]/g, '')) || MISTAKEN_TOKENS.test(bare)) return false
  try {
    writeDate('2024-10-21', tokens)
    return true
  } catch {
    return false
  }
}

function refuseLayout(text: string, why: string): ConfigFailure {
  return new ConfigFailure(`KEY_LAYOUT is ${JSON.stringify(text)}: ${why}.`, {
    code: 'bad_config',
    advice:
      'Set it to plain, hive, or a template of {layer} {source} {format} {dataset} {date:yyyy-MM-dd} that holds {file}.',
  })
}

function refuseKey(name: string, why: string): FileFailure {
  return new FileFailure(`${name} cannot be uploaded: ${why}.`, {
    code: 'key_not_possible',
    advice: 'Rename the file.',
  })
}
