/** Makes `src/csv/scan/skip-common.wasm.ts` of its source: `npm run assemble`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import loadWabt from 'wabt'

const FOLDER = join(__dirname, '..', 'src', 'csv', 'scan')
export const ASSEMBLED = join(FOLDER, 'skip-common.wasm.ts')

/** What the file must hold. */
export async function assemble(): Promise<string> {
  const source = readFileSync(join(FOLDER, 'skip-common.wat'), 'utf8')
  const { parseWat } = await loadWabt()
  const { buffer } = parseWat('skip-common.wat', source, { simd: true }).toBinary({})
  const text = Buffer.from(buffer).toString('base64')
  return `/** skip-common.wat, assembled by \`npm run assemble\`. */\nexport const SKIP_COMMON =\n  '${text}'\n`
}

if (require.main === module) assemble().then(text => writeFileSync(ASSEMBLED, text))
