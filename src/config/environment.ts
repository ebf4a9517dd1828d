/** The only reader of this process: arguments, environment, and `.env` in the working folder. */
import { readFileSync } from 'node:fs'
import { parse as parseDotenv } from 'dotenv'
import { ConfigFailure, Failure, nameSystemError, settle } from '../errors'
import { type Given, type Invocation, parseConfig } from './config'
import { CREDENTIAL_NAMES } from './credentials'
import { readProfile } from './profile'
import type { SettingName } from './settings'
import type { Variables } from './sources'

interface Environment extends Omit<Given, 'profile'> {
  /** How to print. It holds before anything is checked: a refusal too is printed in the format that was asked for. */
  readonly output: { readonly json: boolean; readonly stackTraces: boolean; readonly forceColor: boolean }
}

/** Reads all that the process was given, once. Nothing is checked yet. */
export function readEnvironment(): Environment {
  const argv = process.argv.slice(2)
  const environment = { ...process.env }
  const dotenv = readDotenv()
  const read = (name: SettingName) => environment[name] || (dotenv instanceof Failure ? undefined : dotenv[name])
  return {
    argv,
    environment,
    dotenv,
    output: {
      json: argv.includes('--json') || read('LOG_FORMAT') === 'json',
      stackTraces: Boolean(read('DEBUG')),
      // https://force-color.org and Node's own values: 0 and false switch it off.
      forceColor: !['', '0', 'false'].includes(environment['FORCE_COLOR'] ?? ''),
    },
  }
}

/**
 * What `environment` and the AWS profile ask for.
 * @throws ConfigFailure, CredentialsFailure
 */
export async function readConfig(environment: Environment): Promise<Invocation> {
  prepareProcess(environment.dotenv instanceof Failure ? {} : environment.dotenv)
  return parseConfig({ ...environment, profile: await settle(readProfile) }, new Date())
}

/**
 * Puts variables for the AWS default chain (`AWS_PROFILE` and the like) from `.env` into the process, because the SDK
 * looks for them there. Blank ones are taken out, because the SDK stumbles over them.
 */
function prepareProcess(dotenv: Variables): void {
  for (const [name, value] of Object.entries(dotenv)) {
    const isCredential = CREDENTIAL_NAMES.some(credential => credential === name.toUpperCase())
    if (!isCredential && !process.env[name]) process.env[name] = value
  }
  for (const [name, value] of Object.entries(process.env)) if (value === '') delete process.env[name]
  // Node would no longer verify certificates.
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  // A library would print requests with their signatures, and the proxy's password.
  delete process.env['DEBUG']
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
}

function readDotenv(): Variables | Failure {
  try {
    return parseDotenv(decodeText(readFileSync('.env')))
  } catch (cause) {
    const reason = nameSystemError(cause)
    return reason === 'ENOENT' ? {} : refuseDotenv(reason)
  }
}

/** UTF-8, or UTF-16 as PowerShell writes it: with its mark, or known by the zeros that ASCII has in it. */
function decodeText(bytes: Buffer): string {
  const [first, second] = bytes
  const isLittleEndian = (first === 0xff && second === 0xfe) || (second === 0 && first !== 0)
  const isBigEndian = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0)
  return new TextDecoder(isLittleEndian ? 'utf-16le' : isBigEndian ? 'utf-16be' : 'utf-8').decode(bytes)
}

function refuseDotenv(reason: string): ConfigFailure {
  return new ConfigFailure(`.env in the working folder cannot be read (${reason}).`, {
    code: 'bad_config',
    advice: 'Make it a file that this user may read, or remove it.',
  })
}
