/** Which files a run is about. */
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConfigFailure, nameSystemError } from '../errors'
import type { FoundCsv } from './csv-file'

export interface Found {
  /** In the order of their names. */
  readonly files: readonly FoundCsv[]
  /** What lies in the folders and is not uploaded, with the reason. */
  readonly passedOver: readonly string[]
}

/**
 * The file system is asked at once, and not in another thread: for many files that is several times as fast, and nothing
 * else is under way yet. Only signals have to have their turn.
 */
const ENTRIES_IN_A_TURN = 100

/**
 * Every file whose name ends in `.csv`, in any case, in the files and folders `paths` and their sub-folders. Symbolic
 * links are followed to files within the same folder only, so that no file from elsewhere is uploaded by its name.
 * @throws ConfigFailure if a path does not exist or no file is found
 */
export async function findCsv(paths: readonly string[], signal: AbortSignal): Promise<Found> {
  const candidates: FoundCsv[] = []
  const passedOver: string[] = []
  for (const path of paths) {
    const kind = lookAt(path)
    const real = realpathSync.native(path)
    if (kind.isDirectory()) await walk(real, real, candidates, passedOver, signal)
    else if (kind.isFile() && isCsvName(path)) candidates.push({ path: real, name: basename(path), size: kind.size })
    else passedOver.push(`${path} (${kind.isFile() ? 'not .csv' : 'not a regular file'})`)
  }
  if (candidates.length === 0) {
    throw new ConfigFailure(
      `No .csv file in ${paths.join(', ')}${passedOver.length > 0 ? `, only ${passedOver.slice(0, 5).join(', ')}` : ''}.`,
      {
        code: 'no_files',
        advice: 'Put CSV files there, or name another folder as an argument or in DATA_DIR.',
      },
    )
  }
  // What is named twice, as a file and by its folder, is one file.
  const files = [...new Map(candidates.map(file => [`${file.path}\0${file.name}`, file])).values()]
  files.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return { files, passedOver }
}

function lookAt(path: string): Stats {
  try {
    return statSync(path)
  } catch (cause) {
    const code = nameSystemError(cause)
    throw new ConfigFailure(`${path} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}.`, {
      code: 'no_files',
      advice: 'Name an existing file or folder as an argument or in DATA_DIR.',
      cause,
    })
  }
}

function listEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    throw new ConfigFailure(`The folder ${folder} cannot be read (${nameSystemError(cause)}).`, {
      code: 'no_files',
      advice: 'Give the user that runs this the right to list it.',
      cause,
    })
  }
}

async function walk(
  root: string,
  folder: string,
  candidates: FoundCsv[],
  passedOver: string[],
  signal: AbortSignal,
): Promise<void> {
  for (const [index, entry] of listEntries(folder).entries()) {
    if (index % ENTRIES_IN_A_TURN === 0) await nextTurn()
    signal.throwIfAborted()
    const path = join(folder, entry.name)
    const name = relative(root, path).split(sep).join('/')
    if (entry.isDirectory() && !entry.name.startsWith('.')) await walk(root, path, candidates, passedOver, signal)
    else if (entry.isDirectory()) passedOver.push(`${name}/ (hidden folder)`)
    else if (!isCsvName(entry.name))
      passedOver.push(`${name} (${entry.isSymbolicLink() ? 'symbolic link, ' : ''}not .csv)`)
    else {
      const file = resolveFile(root, path, entry)
      if (typeof file === 'string') passedOver.push(`${name} (${file})`)
      else candidates.push({ ...file, name })
    }
  }
}

/** The regular file that `entry` is or leads to, or why there is none to take. */
function resolveFile(root: string, path: string, entry: Dirent): { path: string; size: number } | string {
  if (!entry.isFile() && !entry.isSymbolicLink()) return 'not a regular file'
  try {
    const real = entry.isSymbolicLink() ? realpathSync.native(path) : path
    // A name may begin with two dots, as those in a Kubernetes volume do.
    if (relative(root, real).split(sep)[0] === '..') return 'symbolic link out of the folder'
    const kind = statSync(real)
    return kind.isFile() ? { path: real, size: kind.size } : 'not a regular file'
  } catch {
    // A file that is there but not under this name (its name is not UTF-8) fails when it is opened, and is not left out.
    return entry.isFile() ? { path, size: 0 } : 'symbolic link to nothing'
  }
}

function isCsvName(name: string): boolean {
  return name.toLowerCase().endsWith('.csv')
}
