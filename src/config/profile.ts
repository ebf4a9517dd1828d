/** What the AWS profile says of the server. Its credentials are the SDK's to find. */
import { getProfileName, loadSharedConfigFiles } from '@smithy/core/config'
import { ConfigFailure } from '../errors'

/** Settings by their names in `~/.aws/config`. https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html */
type ProfileSetting = 'region' | 'endpoint_url' | 'ca_bundle' | 'use_fips_endpoint' | 'use_dualstack_endpoint'

export interface Profile {
  readonly name: string
  readonly settings: Readonly<Partial<Record<ProfileSetting, string | undefined>>>
}

/**
 * The profile that the process environment names, from the files that it names. A file that cannot be read counts as
 * empty, as for the SDK.
 * @throws ConfigFailure if the profile names a `services` section that is not there.
 */
export async function readProfile(): Promise<Profile> {
  const name = getProfileName({})
  const { configFile, credentialsFile } = await loadSharedConfigFiles()
  // A region in the credentials file wins, for the SDK too; other settings do not stand there.
  const settings = { ...configFile[name], ...credentialsFile[name] }
  return { name, settings: { ...settings, endpoint_url: findEndpoint(name, settings, configFile) } }
}

type Section = Readonly<Record<string, string | undefined>>

/** The endpoint for S3 in the profile's `services` section comes before the profile's own. */
function findEndpoint(name: string, profile: Section, sections: Readonly<Record<string, Section>>): string | undefined {
  const { services, endpoint_url, ignore_configured_endpoint_urls } = profile
  if (ignore_configured_endpoint_urls === 'true') return undefined
  if (services === undefined) return endpoint_url
  const section = sections[`services.${services}`]
  if (section === undefined) {
    throw new ConfigFailure(`The profile ${name} names the services section ${services}, which does not exist.`, {
      code: 'bad_config',
      advice: `Add [services ${services}] to ~/.aws/config, or take the line out of the profile.`,
    })
  }
  return section['s3.endpoint_url'] ?? endpoint_url
}
