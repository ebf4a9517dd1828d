/** The upload of `csv_files/` to an S3-compatible server that is started for it: no account, no Docker, no internet. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import S3rver from 's3rver'

const ROOT = resolve(__dirname, '..')
/** Ignored by git. What landed stays here until it is removed: the next demo finds it unchanged. */
const FOLDER = join(ROOT, '.demo-s3')
const BUCKET = 'demo'
/** How s3rver names the file that holds an object's content. */
const CONTENT_SUFFIX = '._S3rver_object'

/** Run with `--openssl-legacy-provider`: from 1,000 objects on, s3rver pages its listings with a cipher that OpenSSL 3 keeps apart. */
async function demo(): Promise<number> {
  const home = join(FOLDER, 'empty-home')
  mkdirSync(home, { recursive: true })
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: join(FOLDER, 'buckets') })
  const { port } = await server.run()
  try {
    // An empty environment and working folder: nobody's credentials, profile or .env come near a demo.
    const program = spawn(process.execPath, [require.resolve('ts-node/dist/bin'), join(ROOT, 'src', 'main.ts')], {
      cwd: home,
      stdio: 'inherit',
      env: {
        HOME: home,
        USERPROFILE: home,
        SystemRoot: process.env['SystemRoot'],
        AWS_ACCESS_KEY_ID: 'S3RVER',
        AWS_SECRET_ACCESS_KEY: 'S3RVER',
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
        BUCKET_NAME: BUCKET,
        DATA_DIR: join(ROOT, 'csv_files'),
      },
    })
    const [code] = await once(program, 'exit')
    if (code === 0) showLanded()
    return code ?? 1
  } finally {
    await server.close()
  }
}

function showLanded(): void {
  const bucket = join(FOLDER, 'buckets', BUCKET)
  const landed = readdirSync(bucket, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(CONTENT_SUFFIX))
    .sort()
    .map(path => relative(process.cwd(), join(bucket, path)))
  console.log('\nThe server keeps each object as a file. Look at them with:\n')
  for (const path of landed) console.log(`  head -n 3 '${path}'`)
  console.log(`\nStart from nothing again: rm -r ${relative(process.cwd(), FOLDER)}`)
}

demo().then(code => {
  process.exitCode = code
})
