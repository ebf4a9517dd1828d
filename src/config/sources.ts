/** Where settings come from. */
import type { Profile } from './profile'
import { parseSetting, type SettingName, type SettingValue } from './settings'
import { refuse } from './values'

export type Variables = Readonly<Record<string, string | undefined>>

/** Strongest first. */
export interface Sources {
  readonly environment: Variables
  readonly dotenv: Variables
  readonly profile: Profile
}

/** The value of a setting, of its default, or `undefined`. */
export type Take = <Name extends SettingName>(name: Name) => SettingValue<Name>

/** Takes settings from variables; profiles have other names for them. */
export function takeFrom(environment: Variables, dotenv: Variables): Take {
  return name => {
    const text = firstSet(name, environment, dotenv)
    if (text !== undefined && /^(["']).*\1$/s.test(text))
      throw refuse(name, text, 'the value without the quotes around it')
    return parseSetting(name, text)
  }
}

/** The text from the first of `sources` in which `name` is set. As for curl, a proxy's name in lower case comes first. */
export function firstSet(name: string, ...sources: readonly Variables[]): string | undefined {
  const names = name.endsWith('_PROXY') ? [name.toLowerCase(), name] : [name]
  for (const source of sources) for (const each of names) if (source[each]) return source[each]
  return undefined
}
