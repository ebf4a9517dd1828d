/** Names in `.env` that nothing reads, and that look like the name of a setting. */
import { distance } from 'fastest-levenshtein'
import { SETTINGS } from './settings'

/** Other names that may stand in a `.env`, near to the name of a setting. */
const INNOCENT = ['FTP_PROXY', 'AWS_PROFILE', 'AWS_ROLE_ARN']

/** How many letters may be wrong: two, and fewer in a short name, which is near to many others. */
const MOST_WRONG = 2
const LETTERS_FOR_EACH = 4

interface Misspelt {
  readonly name: string
  readonly meant: string
}

/** Those of `names` that are one or two letters away from the name of a setting. */
export function findMisspelt(names: readonly string[]): readonly Misspelt[] {
  const known: string[] = SETTINGS.map(setting => setting.name)
  return names.flatMap(name => {
    const upper = name.toUpperCase()
    const isKnown =
      known.includes(name) || INNOCENT.includes(upper) || (isReadInLowerCase(upper) && known.includes(upper))
    if (isKnown) return []
    const [nearest] = known
      .map(meant => ({ meant, wrong: distance(upper, meant) }))
      .filter(({ meant, wrong }) => wrong <= Math.min(MOST_WRONG, Math.floor(meant.length / LETTERS_FOR_EACH)))
      .sort((a, b) => a.wrong - b.wrong)
    return nearest === undefined ? [] : [{ name, meant: nearest.meant }]
  })
}

/** Credentials, as the AWS access portal has them, and proxies, as curl does. */
function isReadInLowerCase(upper: string): boolean {
  return /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)(_FILE)?$|_PROXY$/.test(upper)
}
