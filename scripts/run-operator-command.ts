import { dirname } from 'node:path'
import { DrizzleQueryError } from 'drizzle-orm'
import { openLocalDatabases } from './local-database.ts'
import { type Place, UsageError } from './operator-command.ts'
import type { OperatorDatabases } from './operator-databases.ts'
import { stateDir } from './settings.ts'
import { openWranglerDatabases, WranglerError } from './wrangler-database.ts'

interface OperatorCommand<Command> {
  usage: string
  /** Parses the arguments. Throws a UsageError. */
  read: (args: string[]) => { command: Command; place: Place }
  /** Runs the command. Returns the exit code. */
  run: (command: Command, databases: OperatorDatabases) => Promise<number>
  /** Whether the command creates the local state if there is none. */
  mayCreate: (command: Command) => boolean
  /** What to say if wrangler failed on the way; undefined: nothing. */
  adviceAfterFailure?: (command: Command) => string | undefined
}

/** Runs an operator's command on the databases that its arguments name. Returns the exit code. */
export async function runOperatorCommand<Command>(
  args: string[],
  { usage, read, run, mayCreate, adviceAfterFailure }: OperatorCommand<Command>,
): Promise<number> {
  let advice: string | undefined
  try {
    const { command, place } = read(args)
    advice = adviceAfterFailure?.(command)
    if (place.where === 'remote') return await run(command, await openWranglerDatabases(['--remote']))
    const local = await openLocalDatabases(place.persistTo, { mayCreate: mayCreate(command) })
    try {
      if (local.isNew)
        console.error(`There was no state in ${dirname(stateDir(place.persistTo))}: created it`)
      return await run(command, local.databases)
    } finally {
      local.close()
    }
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage}`)
      return 2
    }
    // Drizzle's own error quotes the statement, including the hash of a key. Its cause says what went wrong.
    const cause = error instanceof DrizzleQueryError ? error.cause : error
    console.error(cause instanceof Error ? cause.message : cause)
    if (!(cause instanceof WranglerError)) return 1
    if (/no such (table|column)/.test(cause.message))
      console.error(
        'Apply the migrations to every database first: npx wrangler d1 migrations apply DB --remote',
      )
    else if (advice !== undefined) console.error(advice)
    return 1
  }
}
