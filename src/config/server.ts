/** Which server, which bucket on it, and the way there. */
import { ConfigFailure } from '../errors'
import { assertNoBucketIn, parseBucketName } from './bucket'
import { parsePemFile } from './files'
import type { Profile } from './profile'
import { firstSet, type Sources, type Take } from './sources'
import { type Endpoint, type Parse, parseEndpoint, parseRegion } from './values'

/**
 * The settings of the server, from variables or from the profile.
 * @throws ConfigFailure
 */
export function parseServer(given: Sources, take: Take, bucketName: string) {
  const { settings, name: profile } = given.profile
  const takeFromProfile = <Value>(setting: keyof Profile['settings'], parse: Parse<Value>): Value | undefined => {
    const text = settings[setting]
    return text ? parse(`${setting} of the profile ${profile}`, text) : undefined
  }
  const endpoint =
    take('AWS_ENDPOINT_URL_S3') ?? take('AWS_ENDPOINT_URL') ?? takeFromProfile('endpoint_url', parseEndpoint)
  const { bucket, isAccessPoint, region: ownRegion } = parseBucketName('BUCKET_NAME', bucketName, endpoint)
  if (endpoint !== undefined) {
    assertNoBucketIn(endpoint, bucket)
    assertNoVariant(endpoint, given)
  }
  const forcePathStyle = take('S3_FORCE_PATH_STYLE')
  if (ownRegion !== undefined && forcePathStyle === true) {
    throw new ConfigFailure(
      'S3_FORCE_PATH_STYLE is true, and BUCKET_NAME is an ARN, which S3 takes in host names only.',
      {
        code: 'bad_config',
        advice: "Take S3_FORCE_PATH_STYLE out, or set BUCKET_NAME to the access point's alias.",
      },
    )
  }
  const region = take('AWS_REGION') ?? take('AWS_DEFAULT_REGION') ?? takeFromProfile('region', parseRegion)
  return {
    isAccessPoint,
    region: ownRegion ?? region,
    endpoint: endpoint?.url,
    forcePathStyle: forcePathStyle ?? (endpoint !== undefined && ownRegion === undefined),
    bucket,
    bucketOwner: take('BUCKET_OWNER'),
    concurrency: take('CONCURRENCY'),
    network: {
      httpsProxy: take('HTTPS_PROXY') ?? take('ALL_PROXY'),
      httpProxy: take('HTTP_PROXY') ?? take('ALL_PROXY'),
      noProxy: take('NO_PROXY') ?? '',
      authorities: parseAuthorities(given, take('AWS_CA_BUNDLE') ?? takeFromProfile('ca_bundle', parsePemFile)),
    },
  }
}

/** Node forgets the authorities of NODE_EXTRA_CA_CERTS as soon as it is given others. */
function parseAuthorities({ environment }: Sources, authorities: string | undefined): string | undefined {
  const extra = environment['NODE_EXTRA_CA_CERTS']
  if (authorities === undefined || !extra) return authorities
  return `${authorities}\n${parsePemFile('NODE_EXTRA_CA_CERTS', extra)}`
}

/** A custom endpoint has no second address for FIPS or IPv6: the SDK would fail at the first request. */
function assertNoVariant({ setting }: Endpoint, { environment, dotenv, profile }: Sources): void {
  for (const variant of ['use_fips_endpoint', 'use_dualstack_endpoint'] as const) {
    const name = `AWS_${variant.toUpperCase()}`
    const value = firstSet(name, environment, dotenv) ?? profile.settings[variant]
    if (value === 'true') {
      throw new ConfigFailure(`${name} is true, and ${setting} names a server that is not AWS.`, {
        code: 'bad_config',
        advice: `Take one of the two out: ${name} chooses among the addresses of AWS.`,
      })
    }
  }
}
