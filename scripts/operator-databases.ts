import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { type Candidate, chooseDatabase } from '../src/store/choose-database.ts'
import { countOrganizations } from '../src/store/organizations.ts'

/** A D1 database as an operator's command uses it. */
export interface OperatorDatabase {
  store: SqliteRemoteDatabase
  /** How large it is; null if that is not known. */
  bytes: () => Promise<number | null>
}

/** The databases by binding. `DB` has the keys and the directory. */
export type OperatorDatabases = Record<string, OperatorDatabase> & { DB: OperatorDatabase }

/** Throws if `DB` is missing. */
export function withDirectory(databases: Record<string, OperatorDatabase>): OperatorDatabases {
  const { DB } = databases
  if (DB === undefined) throw new Error('There is no database with the binding DB')
  return { ...databases, DB }
}

/** What the directory and the databases say of each database. */
export async function surveyDatabases(databases: OperatorDatabases): Promise<Candidate[]> {
  const counts = await countOrganizations(databases.DB.store)
  const survey: Candidate[] = []
  for (const [name, { bytes }] of Object.entries(databases))
    survey.push({ name, bytes: await bytes(), organizations: counts.get(name) ?? 0 })
  return survey
}

/** Which of several databases is for a new organization: see `chooseDatabase`. Throws if `preferred` is none of them. */
export async function chooseForNew(
  databases: OperatorDatabases,
  preferred: string | undefined,
): Promise<string> {
  const names = Object.keys(databases)
  if (preferred && !names.includes(preferred))
    throw new Error(`DATABASE_FOR_NEW is ${preferred}, but the databases are ${names.join(', ')}`)
  if (preferred) return preferred
  return chooseDatabase(await surveyDatabases(databases), undefined)
}
