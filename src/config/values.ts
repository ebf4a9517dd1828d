/** One function for each kind of value that a setting can have: text in, checked value out, or a refusal. */
import { format } from 'date-fns/format'
import { ConfigFailure } from '../errors'
import { MIB } from '../lib/memory'

/** Turns the `text` of the setting `name` into its value, or throws the refusal. */
export type Parse<Value> = (name: string, text: string) => Value

/** The refusal of a value: names the setting, what was given and what is allowed. Never call it with a secret. */
export function refuse(name: string, given: string, allowed: string): ConfigFailure {
  return new ConfigFailure(`${name} is ${JSON.stringify(hideSecrets(given))}.`, {
    code: 'bad_config',
    advice: `Set ${name} to ${allowed}.`,
  })
}

/** An address may hold a password (`user:password@host`), or a signature or a token behind its `?`. */
function hideSecrets(text: string): string {
  return text.replace(/^(\W?\w*:\/\/)?.*@/s, '$1***@').replace(/(?<=:\/\/.*[?#]).+/s, '***')
}

export function parseBoolean(name: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw refuse(name, text, 'true or false')
  return text === 'true'
}

/** Any text. */
export function parseText(_name: string, text: string): string {
  return text
}

/** One of the `words`. */
export function oneOf<Word extends string>(...words: readonly Word[]): Parse<Word> {
  return (name, text) => {
    const word = words.find(candidate => candidate === text)
    if (word === undefined) throw refuse(name, text, words.join(' or '))
    return word
  }
}

/** A whole number from 1 to `most`. */
export function countUpTo(most: number): Parse<number> {
  return (name, text) => {
    const count = /^\d+$/.test(text) ? Number(text) : 0
    if (count < 1 || count > most) throw refuse(name, text, `a whole number from 1 to ${most}`)
    return count
  }
}

/** A size such as `64MiB` or `1GiB`, in bytes, of at least `leastMib` MiB. A bare number counts bytes. */
export function sizeFrom(leastMib: number): Parse<number> {
  return (name, text) => {
    const [, digits, unit] = /^(\d+)\s?(KiB|MiB|GiB)?$/i.exec(text) ?? []
    const units: Readonly<Record<string, number>> = { kib: 1024, mib: MIB, gib: 1024 * MIB }
    const size = Number(digits) * (unit === undefined ? 1 : (units[unit.toLowerCase()] ?? 1))
    if (!Number.isSafeInteger(size) || size < leastMib * MIB) {
      throw refuse(name, text, `a size of at least ${leastMib}MiB, such as 64MiB or 1GiB`)
    }
    return size
  }
}

/** A calendar date, `YYYY-MM-DD` (ISO 8601), that exists. */
export function parseDate(name: string, text: string): string {
  const date = new Date(`${text}T00:00:00Z`)
  // ISO 8601 has a year 0; the calendar of people and of keys has none.
  const exists = /^(?!0000)\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime())
  if (!exists || date.toISOString().slice(0, 10) !== text) {
    throw refuse(name, text, 'a date that exists, written YYYY-MM-DD')
  }
  return text
}

/** The calendar date of an instant, `YYYY-MM-DD`. */
type Calendar = (instant: Date) => string

/** The calendar of a time zone, given as an IANA name. */
export function parseTimeZone(name: string, text: string): Calendar {
  // Skip Intl's tables for the image's own zone: loading them takes longer than uploading a small file.
  if (text === 'UTC') return instant => instant.toISOString().slice(0, 10)
  try {
    const calendar = new Intl.DateTimeFormat('en-US', {
      timeZone: text,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    })
    return instant => {
      const parts = calendar.formatToParts(instant)
      const part = (type: string) => parts.find(candidate => candidate.type === type)?.value
      return `${part('year')}-${part('month')}-${part('day')}`
    }
  } catch {
    throw refuse(name, text, 'an IANA time zone such as UTC or America/Sao_Paulo')
  }
}

/** The calendar of the system's time zone. */
export const systemCalendar: Calendar = instant => format(instant, 'yyyy-MM-dd')

/** A region is part of host names (RFC 1123 label). */
export function parseRegion(name: string, text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(text)) throw refuse(name, text, 'a region such as eu-west-1')
  return text
}

/** The address of a server, and the setting that gave it. */
export interface Endpoint {
  readonly setting: string
  readonly url: string
}

export function parseEndpoint(name: string, text: string): Endpoint {
  const allowed = 'a full address such as https://s3.example.com or http://127.0.0.1:9000'
  if (!/^https?:\/\//i.test(text)) {
    throw new ConfigFailure(`${name} has no scheme: it must start with https:// or http://.`, {
      code: 'bad_config',
      advice: `Set ${name} to ${allowed}.`,
    })
  }
  if (!URL.canParse(text)) throw refuse(name, text, allowed)
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    throw new ConfigFailure(`${name} holds a user name or a password.`, {
      code: 'bad_config',
      advice: 'Take them out of the address: S3 keys go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    })
  }
  if (url.search !== '' || url.hash !== '') throw refuse(name, text, `${allowed}, without ? or #`)
  return { setting: name, url: text }
}

/** The address of an HTTP proxy. As for curl, one without a scheme is spoken to over plain HTTP. */
export function parseProxy(name: string, text: string): string {
  const address = text.includes('://') ? text : `http://${text}`
  const isHttp = /^https?:\/\//i.test(address) && URL.canParse(address)
  if (!isHttp || !canDecode(new URL(address))) {
    throw refuse(name, text, 'the address of an HTTP proxy such as http://user:password@proxy.example.com:3128')
  }
  return new URL(address).href
}

/** A `%` in a user name or a password must begin the code of a character. */
function canDecode({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}

export function parseAccountId(name: string, text: string): string {
  if (!/^\d{12}$/.test(text)) throw refuse(name, text, 'the 12 digits of an AWS account id')
  return text
}
