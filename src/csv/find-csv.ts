/** Which files a run is about. */
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ConfigFailure, FileFailure, nameSystemError } from '../errors'
import type { FoundCsv } from './csv-file'

export interface Found {
  /** In the order of their names. */
  readonly files: readonly FoundCsv[]
  /** What lies in the folders and is not uploaded, with the reason. */
  readonly passedOver: readonly string[]
  /** Folders that cannot be listed, each with its failure. */
  readonly unlisted: readonly { readonly folder: FoundCsv; readonly failure: FileFailure }[]
}

/**
 * The file system is asked at once, and not in another thread: for many files that is several times as fast, and nothing
 * else is under way yet. Only signals have to have their turn.
 */
const ENTRIES_IN_A_TURN = 100

/**
 * Every file whose name ends in `.csv`, in any case, in the files and folders `paths` and their sub-folders. Symbolic
 * links are followed to files within the same folder only, so that no file from elsewhere is uploaded by its name.
 * @throws ConfigFailure if a path does not exist, a path cannot be listed, or no file is found
 */
export async function findCsv(paths: readonly string[], signal: AbortSignal): Promise<Found> {
  const search: Search = { candidates: [], passedOver: [], unlisted: [], signal }
  const { candidates, passedOver, unlisted } = search
  for (const path of paths) {
    const kind = lookAt(path)
    const real = realpathSync.native(path)
    if (kind.isDirectory()) await walk(search, real, real, listRoot(real))
    else if (kind.isFile() && isCsvName(path)) candidates.push({ path: real, name: basename(path), size: kind.size })
    else passedOver.push(`${path} (${kind.isFile() ? 'not .csv' : 'not a regular file'})`)
  }
  if (candidates.length === 0 && unlisted.length === 0) {
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
  return { files, passedOver, unlisted }
}

/** What was found so far. */
interface Search {
  readonly candidates: FoundCsv[]
  readonly passedOver: string[]
  readonly unlisted: Found['unlisted'][number][]
  readonly signal: AbortSignal
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

function listRoot(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    throw new ConfigFailure(`The folder ${folder} cannot be read (${nameSystemError(cause)}).`, {
      code: 'no_files',
      advice: 'Give the user that runs this program the right to list it.',
      cause,
    })
  }
}

/** What stands in a sub-folder; nothing if it cannot be listed, which then fails by its name. */
function listFolder(path: string, name: string, unlisted: Search['unlisted']): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (cause) {
    const failure = new FileFailure(`The folder ${name}/ cannot be read (${nameSystemError(cause)}).`, {
      code: 'unreadable',
      advice: 'Give the user that runs this program the right to list it, or move it elsewhere.',
      cause,
    })
    unlisted.push({ folder: { path, name: `${name}/`, size: 0 }, failure })
    return []
  }
}

async function walk(search: Search, root: string, folder: string, entries: readonly Dirent[]): Promise<void> {
  const { candidates, passedOver, unlisted, signal } = search
  for (const [index, entry] of entries.entries()) {
    if (index % ENTRIES_IN_A_TURN === 0) await nextTurn()
    signal.throwIfAborted()
    const path = join(folder, entry.name)
    const name = relative(root, path).split(sep).join('/')
    const foreign = describeForeign(entry.name)
    if (entry.isDirectory() && foreign !== undefined) passedOver.push(`${name}/ (${foreign})`)
    else if (entry.isDirectory()) await walk(search, root, path, listFolder(path, name, unlisted))
    else if (!isCsvName(entry.name))
      passedOver.push(`${name} (${entry.isSymbolicLink() ? 'symbolic link, ' : ''}not .csv)`)
    else if (foreign !== undefined) passedOver.push(`${name} (${foreign})`)
    else {
      const file = resolveFile(root, path, entry)
      if (typeof file === 'string') passedOver.push(`${name} (${file})`)
      else candidates.push({ ...file, name })
    }
  }
}

/** Why a name is that of something that no person put there as data. */
function describeForeign(name: string): string | undefined {
  if (name === 'lost+found') return 'of the file system'
  if (name.startsWith('~$')) return 'of Excel'
  // A name without anything before its ending is refused for that, by its name.
  return name.startsWith('.') && name.toLowerCase() !== '.csv' ? 'hidden' : undefined
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
