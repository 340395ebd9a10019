/** The local state is unusable. The message is for the person running the command. */
export class StateError extends Error {}

/** SQLite's error codes: the number from Node's driver, and the name that the Workers runtime prints. */
const BUSY = [5, 'SQLITE_BUSY'] as const
const FULL = [13, 'SQLITE_FULL'] as const
const IO_ERROR = [10, 'SQLITE_IOERR'] as const
const READ_ONLY = [8, 'SQLITE_READONLY'] as const
const CANNOT_OPEN = [14, 'SQLITE_CANTOPEN'] as const
const CORRUPT = [11, 'SQLITE_CORRUPT'] as const
const NOT_A_DATABASE = [26, 'SQLITE_NOTADB'] as const

/** Runs `work` on the state in `dir` and passes its errors through `toStateError`. */
export async function withStateErrors<Result>(
  dir: string,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toStateError(error, dir)
  }
}

/**
 * Turns an error about the disk, the folder or a lock of the state in `dir` into a StateError, and returns any other error
 * unchanged. Node's file system, Node's SQLite and the Workers runtime each report these failures differently.
 */
export function toStateError(error: unknown, dir: string): unknown {
  const explanation = explain(error, dir)
  return explanation === undefined ? error : new StateError(explanation, { cause: error })
}

/** Whether an error is about the disk, the folder or a lock of a state: `toStateError` explains it. */
export function isAboutState(error: unknown): boolean {
  return explain(error, '') !== undefined
}

function explain(error: unknown, dir: string): string | undefined {
  if (!(error instanceof Error) || error instanceof StateError) return undefined
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  const isCode = (...codes: string[]) => codes.includes(String(code))
  // The low byte of an extended code is the primary code.
  const isSqlite = ([number, name]: readonly [number, string]) =>
    (typeof errcode === 'number' && (errcode & 0xff) === number) || error.message.includes(name)

  if (isCode('ENOSPC', 'EDQUOT') || isSqlite(FULL))
    return `The disk that holds ${dir} is full: make room, then try again.`
  // SQLite reports this when a full disk has no room for its shared memory, among other causes.
  if (isCode('EIO') || isSqlite(IO_ERROR))
    return `The disk that holds ${dir} does not take what is written to it. Is it full?`
  if (isCode('ENOTDIR', 'EEXIST')) return `${dir} is not a folder.`
  // Node reports ENOENT for a new folder on a read-only disk.
  if (isCode('EACCES', 'EPERM', 'EROFS', 'ENOENT') || isSqlite(READ_ONLY) || isSqlite(CANNOT_OPEN))
    return `${dir} cannot be written to.`
  if (isSqlite(BUSY))
    return `Another process has locked the database in ${dir}: nothing was changed, try again later.`
  if (isSqlite(CORRUPT) || isSqlite(NOT_A_DATABASE)) return `The database in ${dir} is damaged.`
  return undefined
}
