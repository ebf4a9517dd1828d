/** Static credentials, taken as one set from one source: sources are never mixed. */
import { readFileSync } from 'node:fs'
import { CredentialsFailure, nameSystemError } from '../errors'
import type { StaticCredentials } from '../s3/connect'

/** Where variables come from, by a name for people, strongest first. */
interface Source {
  readonly label: string
  readonly variables: Readonly<Record<string, string | undefined>>
}

export const CREDENTIAL_NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const TEMPORARY_KEY_ID = /^ASIA[A-Z0-9]{16}$/

/** One value of a set. */
interface Slot {
  /** The variable that holds it. */
  readonly name: string
  readonly text: string | undefined
  /** The file that holds it instead, as the variable `…_FILE` names it. */
  readonly path: string | undefined
}

/**
 * The first set whose source gives an access key id, upper-case names before lower-case ones (as a block copied from
 * the AWS access portal has them); `undefined` if no source gives any part of a set. A value may come from a file.
 * @throws CredentialsFailure on a set that is not whole, whose values were quoted, or whose files cannot be read.
 */
export function pickCredentials(sources: readonly Source[]): StaticCredentials | undefined {
  const sets = sources.flatMap(({ label, variables }) =>
    [false, true].map(lower => {
      const [id, secret, token] = CREDENTIAL_NAMES.map((upper): Slot => {
        const name = lower ? upper.toLowerCase() : upper
        return { name, text: variables[name], path: variables[`${name}_FILE`] }
      }) as [Slot, Slot, Slot]
      return { label, id, secret, token }
    }),
  )
  const isSet = ({ text, path }: Slot) => Boolean(text || path)
  const set = sets.find(({ id }) => isSet(id)) ?? sets.find(({ secret, token }) => isSet(secret) || isSet(token))
  if (set === undefined) return undefined
  const { label, id, secret, token } = set
  if (!isSet(id) || !isSet(secret)) {
    const missing = isSet(id) ? secret : id
    throw new CredentialsFailure(`Half a set of credentials: ${missing.name} is not set in ${label}.`, {
      code: 'credentials',
      advice: `Set ${id.name} and ${secret.name} in the same place, or neither of them.`,
    })
  }
  const [accessKeyId, secretAccessKey] = [readSlot(id, label), readSlot(secret, label)]
  if (isSet(token)) return { accessKeyId, secretAccessKey, sessionToken: readSlot(token, label) }
  if (TEMPORARY_KEY_ID.test(accessKeyId)) {
    throw new CredentialsFailure(`${id.name} in ${label} is a temporary key, and ${token.name} is not set.`, {
      code: 'credentials',
      advice: `Copy all three values of the set: ${token.name} belongs to it.`,
    })
  }
  return { accessKeyId, secretAccessKey }
}

/** The value of a slot that is set. */
function readSlot({ name, text, path }: Slot, label: string): string {
  const variable = path ? `${name}_FILE` : name
  if (text && path) {
    throw new CredentialsFailure(`${name} and ${variable} are both set in ${label}.`, {
      code: 'credentials',
      advice: 'Set one of them.',
    })
  }
  const value = path ? readSecret(path, `The file that ${variable} in ${label} names`) : (text ?? '')
  if (/[\s\p{Cc}]|^["']|["']$/u.test(value)) {
    throw new CredentialsFailure(`${variable} in ${label} has a quote or white space in it.`, {
      code: 'credentials',
      advice: 'Give the bare value; in .env, single quotes around the whole value keep every character.',
    })
  }
  return value
}

/** @param what the file, without its path: by mistake, the secret itself may stand there. */
function readSecret(path: string, what: string): string {
  let content: string
  try {
    // Editors end the last line.
    content = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new CredentialsFailure(`${what} cannot be read (${nameSystemError(cause)}).`, {
      code: 'credentials',
      advice: 'Mount the secret there, or correct the path.',
    })
  }
  if (content === '') {
    throw new CredentialsFailure(`${what} is empty.`, { code: 'credentials', advice: 'Write the secret into it.' })
  }
  return content
}
