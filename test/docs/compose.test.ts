/** The container files agree with the program; what they do is tried in test/docker. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { SETTINGS } from '../../src/config/settings'
import { ROOT } from '../support/program'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')

/** What the SDK, and not the program, reads in a container; and the names that are also taken in lower case. */
const NOT_SETTINGS = [
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_PROFILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'https_proxy',
  'http_proxy',
  'all_proxy',
  'no_proxy',
]

for (const file of ['docker-compose.yml', 'docker-compose.pull.yml']) {
  const upload = /\n {2}upload:\n(.*?)(?:\n\n|$)/s.exec(read(file))?.[1]?.trimEnd() ?? ''

  test(`${file}: every setting reaches the upload container, by name only, except the folder: it is always /data`, () => {
    const environment = upload.split('environment:\n')[1] ?? ''
    const names = environment.split('\n').map(line => /^ {6}- (\w+)$/.exec(line)?.[1] ?? line)
    const settings = SETTINGS.map(({ name }) => name as string).filter(name => name !== 'DATA_DIR')
    assert.deepEqual(names.sort(), [...settings, ...NOT_SETTINGS].sort())
  })

  test(`${file}: the upload container has the name that its user asked for`, () => {
    assert.match(upload, /^ {4}container_name: data_raw_upload$/m)
  })
}

test('the pulled image is confined as the built one is', () => {
  const confinement = (file: string) => {
    const { 'x-app': app, services } = parse(read(file), { merge: true })
    const { init, read_only, cap_drop, security_opt, stop_grace_period } = app ?? services.upload
    return { init, read_only, cap_drop, security_opt, stop_grace_period }
  }
  assert.deepEqual(confinement('docker-compose.pull.yml'), confinement('docker-compose.yml'))
  assert.equal(confinement('docker-compose.yml').read_only, true)
})

test('the base images that the compose file names are those of the Dockerfiles', () => {
  const named = [...read('docker-compose.yml').matchAll(/(\w+_IMAGE): "?\$\{\1:-([^}]+)\}/g)]
  const files = ['Dockerfile', 'Dockerfile.init', 'docker/s3/Dockerfile'].map(read).join('')
  const args = [...files.matchAll(/^ARG (\w+_IMAGE)=(.+)$/gm)]
  const pairs = (matches: readonly RegExpExecArray[]) => matches.map(([, name, image]) => `${name}=${image}`).sort()
  assert.deepEqual(pairs(named), pairs(args))
  assert.equal(args.length, 4)
})

test('a checkout has LF in what a container runs, and the samples as they are, whatever git is set to', () => {
  const attributes = (path: string) =>
    execFileSync('git', ['check-attr', 'text', 'eol', '--', path], { cwd: ROOT, encoding: 'utf8' })
      .match(/(?<=: )\w+$/gm)
      ?.join()
  assert.deepEqual(['docker/fill-volume.sh', 'Dockerfile', 'test/docker/run', 'csv_files/movies.csv'].map(attributes), [
    'auto,lf',
    'auto,lf',
    'auto,lf',
    'unset,lf',
  ])
})

test("the image's label has the version of package.json", () => {
  const { version } = JSON.parse(read('package.json'))
  assert.ok(read('Dockerfile').includes(`org.opencontainers.image.version="${version}"`))
})
