/** The only reader of this process: arguments, environment, and `.env` in the working folder. */
import { config as parseDotenvFile } from 'dotenv'
import { ConfigFailure } from '../errors'
import { type Given, type Invocation, parseConfig } from './config'
import { CREDENTIAL_NAMES } from './credentials'
import type { SettingName } from './settings'

/** The library would also take these from variables of its own, read another file, and print on stdout. */
const DOTENV = { path: '.env', encoding: 'utf8', quiet: true, debug: false, fast: false, processEnv: {} }

interface Environment extends Given {
  /** How to print. It holds before anything is checked: a refusal too is printed in the format that was asked for. */
  readonly output: { readonly json: boolean; readonly stackTraces: boolean; readonly forceColor: boolean }
  /** Why `.env` cannot be read. */
  readonly failure: ConfigFailure | undefined
}

/** Reads all that the process was given, once. Nothing is checked yet. */
export function readEnvironment(): Environment {
  const { parsed: dotenv = {}, error } = parseDotenvFile(DOTENV)
  const argv = process.argv.slice(2)
  const environment = { ...process.env }
  const read = (name: SettingName) => environment[name] || dotenv[name]
  const isUnreadable = error !== undefined && error.code !== 'ENOENT'
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
    failure: isUnreadable ? refuseDotenv(error.code ?? error.message) : undefined,
  }
}

/**
 * What `environment` asks for. Variables for the AWS default chain (`AWS_PROFILE` and the like) are then put from `.env`
 * into the process, because the SDK looks for them there. Blank ones are taken out of it, because the SDK stumbles over
 * them.
 * @throws ConfigFailure, CredentialsFailure
 */
export function readConfig(environment: Environment): Invocation {
  if (environment.failure !== undefined) throw environment.failure
  const invocation = parseConfig(environment, new Date())
  for (const [name, value] of Object.entries(environment.dotenv)) {
    const isCredential = CREDENTIAL_NAMES.some(credential => credential === name.toUpperCase())
    if (!isCredential && !process.env[name]) process.env[name] = value
  }
  for (const [name, value] of Object.entries(process.env)) if (value === '') delete process.env[name]
  // Node would no longer verify certificates.
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  return invocation
}

function refuseDotenv(reason: string): ConfigFailure {
  return new ConfigFailure(`.env in the working folder cannot be read (${reason}).`, {
    code: 'bad_config',
    advice: 'Make it a file that this user may read, or remove it.',
  })
}
