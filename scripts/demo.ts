/** The upload of `csv_files/` to an S3-compatible server that is started for it: no account, no Docker, no internet. */
import { execSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import S3rver from 's3rver'

const ROOT = resolve(__dirname, '..')
/** Ignored by git. What landed stays here until it is removed: the next demo finds it unchanged. */
const FOLDER = join(ROOT, '.demo-s3')
const BUCKET = 'demo'
/** How s3rver names the file that holds an object's content. */
const CONTENT_SUFFIX = '._S3rver_object'
/** Of more files, only the number is told. */
const MOST_SHOWN = 5

/** What a run takes from the developer's environment: how the terminal is drawn on, and nothing else. */
const TERMINAL = ['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'SystemRoot']

/**
 * Builds the program, and uploads `csv_files/` with it.
 *
 * Run it with `--openssl-legacy-provider`: s3rver pages listings of more than 1,000 objects with DES, which OpenSSL 3
 * has in that provider only.
 * @returns the program's exit code
 */
async function demo(): Promise<number> {
  execSync('npm run --silent build -- --log-level=error', { cwd: ROOT, stdio: 'inherit' })
  const home = mkdtempSync(join(tmpdir(), 'demo-home-'))
  // The bucket is there beforehand: s3rver has no lifecycle rules, and the program would rightly warn of that.
  const configureBuckets = [{ name: BUCKET, configs: [] }]
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: FOLDER, configureBuckets })
  const { port } = await server.run()
  try {
    // An empty working folder and almost no environment: the developer's credentials, profile and .env stay out of it.
    const program = spawn(process.execPath, [join(ROOT, 'dist', 'main.js')], {
      cwd: home,
      stdio: 'inherit',
      env: {
        ...Object.fromEntries(TERMINAL.map(name => [name, process.env[name]])),
        HOME: home,
        USERPROFILE: home,
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
    rmSync(home, { recursive: true })
  }
}

function showLanded(): void {
  const bucket = join(FOLDER, BUCKET)
  const landed = readdirSync(bucket, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith(CONTENT_SUFFIX))
    .sort()
    .map(path => relative(process.cwd(), join(bucket, path.slice(0, -CONTENT_SUFFIX.length))))
  console.log('\nThe server keeps each object as a file. Look at them with:\n')
  for (const path of landed.slice(0, MOST_SHOWN)) console.log(`  head -n 3 '${path}'*object`)
  if (landed.length > MOST_SHOWN) console.log(`  … and ${landed.length - MOST_SHOWN} more`)
  console.log(`\nStart from nothing again: rm -r ${relative(process.cwd(), FOLDER)}`)
}

demo().then(code => {
  process.exitCode = code
})
