/** The container files agree with the program; what they do is tried in test/docker. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SETTINGS } from '../../src/config/settings'
import { ROOT } from '../support/program'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')

/** What the SDK, and not the program, reads in a container; and the names that are also taken in lower case. */
const NOT_SETTINGS = [
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

test('every setting reaches the upload container, by name only, but for the folder that is always /data there', () => {
  const environment = /\n {2}upload:\n.*?environment:\n(.*?)\n\n/s.exec(read('docker-compose.yml'))?.[1] ?? ''
  const names = environment.split('\n').map(line => /^ {6}- (\w+)$/.exec(line)?.[1] ?? line)
  const settings = SETTINGS.map(({ name }) => name as string).filter(name => name !== 'DATA_DIR')
  assert.deepEqual(names.sort(), [...settings, ...NOT_SETTINGS].sort())
})

test('the upload container has the name that its user asked for', () => {
  assert.match(read('docker-compose.yml'), /\n {2}upload:\n.*?container_name: data_raw_upload\n/s)
})

test('the base images that the compose file names are those of the Dockerfiles', () => {
  const named = [...read('docker-compose.yml').matchAll(/(\w+_IMAGE): "?\$\{\1:-([^}]+)\}/g)]
  const args = [...`${read('Dockerfile')}${read('Dockerfile.init')}`.matchAll(/^ARG (\w+_IMAGE)=(.+)$/gm)]
  const pairs = (matches: readonly RegExpExecArray[]) => matches.map(([, name, image]) => `${name}=${image}`).sort()
  assert.deepEqual(pairs(named), pairs(args))
  assert.equal(args.length, 3)
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
