/** The state on this machine cannot be used as it is. The message is for whoever runs the command. */
export class StateError extends Error {}

/** SQLite's codes: the number that Node's driver gives, and the name that the Workers runtime prints. */
const BUSY = [5, 'SQLITE_BUSY'] as const
const FULL = [13, 'SQLITE_FULL'] as const
const IO_ERROR = [10, 'SQLITE_IOERR'] as const
const READ_ONLY = [8, 'SQLITE_READONLY'] as const
const CANNOT_OPEN = [14, 'SQLITE_CANTOPEN'] as const
const CORRUPT = [11, 'SQLITE_CORRUPT'] as const
const NOT_A_DATABASE = [26, 'SQLITE_NOTADB'] as const

/** Does `work` on the state in `dir`; its errors are explained as `toStateError` does. */
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
 * Explains an error that came of working on the state in `dir`: a StateError if it is about the disk, the folder or a lock, and
 * otherwise the error itself. Node's file system, Node's SQLite and the Workers runtime each report these in their own way.
 */
export function toStateError(error: unknown, dir: string): unknown {
  const explanation = explain(error, dir)
  return explanation === undefined ? error : new StateError(explanation, { cause: error })
}

function explain(error: unknown, dir: string): string | undefined {
  if (!(error instanceof Error) || error instanceof StateError) return undefined
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  const isCode = (...codes: string[]) => codes.includes(String(code))
  // The low byte of an extended code is the plain one.
  const isSqlite = ([number, name]: readonly [number, string]) =>
    (typeof errcode === 'number' && (errcode & 0xff) === number) || error.message.includes(name)

  if (isCode('ENOSPC', 'EDQUOT') || isSqlite(FULL))
    return `The disk that holds ${dir} is full: make room, then try again.`
  // Among others, what SQLite says if a full disk has no room for its shared memory.
  if (isCode('EIO') || isSqlite(IO_ERROR))
    return `The disk that holds ${dir} does not take what is written to it. Is it full?`
  if (isCode('ENOTDIR', 'EEXIST')) return `${dir} is not a folder.`
  // ENOENT is what Node says of a new folder on a read-only disk.
  if (isCode('EACCES', 'EPERM', 'EROFS', 'ENOENT') || isSqlite(READ_ONLY) || isSqlite(CANNOT_OPEN))
    return `${dir} cannot be written to.`
  if (isSqlite(BUSY))
    return `Another process has locked the database in ${dir}: nothing was changed, try again later.`
  if (isSqlite(CORRUPT) || isSqlite(NOT_A_DATABASE)) return `The database in ${dir} is damaged.`
  return undefined
}
