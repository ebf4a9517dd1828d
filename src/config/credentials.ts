/** Static credentials, taken as one set from one source: sources are never mixed. */
import { CredentialsFailure } from '../errors'
import type { StaticCredentials } from '../s3/connect'

/** Where variables come from, by a name for people, strongest first. */
interface Source {
  readonly label: string
  readonly variables: Readonly<Record<string, string | undefined>>
}

export const CREDENTIAL_NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const TEMPORARY_KEY_ID = /^ASIA[A-Z0-9]{16}$/

/**
 * The first set whose source gives an access key id, upper-case names before lower-case ones (as a block copied from
 * the AWS access portal has them); `undefined` where no source gives any part of a set.
 * @throws CredentialsFailure on a set that is not whole, or whose values were quoted.
 */
export function pickCredentials(sources: readonly Source[]): StaticCredentials | undefined {
  const sets = sources.flatMap(({ label, variables }) =>
    [false, true].map(lower => {
      const names = CREDENTIAL_NAMES.map(name => (lower ? name.toLowerCase() : name))
      const [idName = '', secretName = '', tokenName = ''] = names
      return {
        label,
        idName,
        secretName,
        tokenName,
        id: variables[idName],
        secret: variables[secretName],
        token: variables[tokenName],
      }
    }),
  )
  const set = sets.find(({ id }) => id) ?? sets.find(({ secret, token }) => secret || token)
  if (set === undefined) return undefined
  const { id, secret, token } = set
  if (!id || !secret) {
    throw new CredentialsFailure(
      `Half a set of credentials: ${id ? set.secretName : set.idName} is not set in ${set.label}.`,
      {
        code: 'credentials',
        advice: `Set ${set.idName} and ${set.secretName} in the same place, or neither of them.`,
      },
    )
  }
  for (const [name, value] of [
    [set.idName, id],
    [set.secretName, secret],
    [set.tokenName, token ?? ''],
  ] as const) {
    if (/[\s\p{Cc}]|^["']|["']$/u.test(value)) {
      throw new CredentialsFailure(`${name} in ${set.label} has a quote or white space in it.`, {
        code: 'credentials',
        advice: 'Give the bare value; in .env, single quotes around the whole value keep every character.',
      })
    }
  }
  if (TEMPORARY_KEY_ID.test(id) && !token) {
    throw new CredentialsFailure(`${set.idName} in ${set.label} is a temporary key, and ${set.tokenName} is not set.`, {
      code: 'credentials',
      advice: `Copy all three values of the set: ${set.tokenName} belongs to it.`,
    })
  }
  return { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) }
}
