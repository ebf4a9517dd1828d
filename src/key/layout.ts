/** The value of `KEY_LAYOUT`, checked before any file is looked at. */

import { ConfigFailure } from '../errors'
import { describeImpossible, fillIn, type Layout, type Names, PLACEHOLDER, writeDate } from './build-key'

const PLAIN = '{layer}/{source}/{format}/{dataset}/{date:yyyy}/{date:MM}/{date:dd}/{file}'
const HIVE = '{layer}/{source}/{format}/{dataset}/year={date:yyyy}/month={date:MM}/day={date:dd}/{file}'

/** The date-fns tokens that a calendar date can fill: it has no hour and no zone. */
const DATE_TOKENS = /^[GyYRuQqMLwIdDEeicoP]*$/
/** Day of the year and week-numbering year, which people write instead of `dd` and `yyyy`. */
const MISTAKEN_TOKENS = /(?<!D)DD?(?![Do])|(?<!Y)(YY|YYYY)(?![Yo])/

/**
 * Turns the value of `KEY_LAYOUT` into a layout.
 * @throws ConfigFailure if a template does not hold `{file}`, or holds what cannot be filled in.
 */
export function parseLayout(text: string, names: Names): Layout {
  const layout = chooseLayout(text, names)
  const why = describeImpossible(fillIn(layout, 'a.csv', '2024-10-21'))
  if (why !== undefined) {
    throw new ConfigFailure(`STORAGE_LAYER, DATA_SOURCE, DATA_FORMAT and KEY_LAYOUT make no possible key: ${why}.`, {
      code: 'bad_config',
      advice: 'Shorten them, or take out slashes at their ends and what stands between two slashes without a name.',
    })
  }
  return layout
}

function chooseLayout(text: string, names: Names): Layout {
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
