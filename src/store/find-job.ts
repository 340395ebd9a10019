import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Job, JobKey } from '../jobs/job.ts'
import type { Placement } from '../jobs/placement.ts'
import type { RecentEntries } from '../jobs/recent-entries.ts'
import { findRecentEntries } from './find-entries.ts'
import { departures, jobs } from './schema.ts'
import type { Store } from './store.ts'

/**
 * What identifies a state of a job: its fence, the status that lists show, and when the job was created. That tells
 * apart two objects that each created the job: one lost its storage, and D1 was down for the other.
 */
export type Recorded = Pick<Job, 'epoch' | 'revision' | 'status' | 'createdAt'>

/** Whether D1 has this very state of the job. */
export function isSameState(stored: Recorded, { epoch, revision, status, createdAt }: Recorded): boolean {
  return (
    stored.epoch === epoch &&
    stored.revision === revision &&
    stored.status === status &&
    stored.createdAt === createdAt
  )
}

/** The job in D1; undefined if this organization has no such job. Throws if D1 fails. */
export async function findJob(store: Store, key: JobKey): Promise<Job | undefined> {
  const [row] = await store.select().from(jobs).where(ofJob(key))
  if (row === undefined) return undefined
  const { organizationId: _, ...job } = row
  return job
}

/** Where an organization has gone that left a database. */
interface Departure extends Placement {
  /** Whether everything of it is there by now. */
  isWhole: boolean
}

/** The job in D1, and whether its organization has left this database. Throws if D1 fails. */
export async function findStored(
  store: Store,
  key: JobKey,
): Promise<{ job: Job | undefined; departure: Departure | undefined }> {
  const { database, version, isWhole } = departures
  const { organizationId: _, ...columns } = getTableColumns(jobs)
  const [row] = await store
    .select({ job: columns, departure: { database, version, isWhole } })
    .from(sql`(select 1) asked`)
    .leftJoin(jobs, ofJob(key))
    .leftJoin(departures, eq(departures.organizationId, key.organizationId))
  return { job: row?.job ?? undefined, departure: row?.departure ?? undefined }
}

/** Which state of each job D1 has, and whether its organization has left this database: in order. Throws if D1 fails. */
export async function findStates(
  store: Store,
  keys: JobKey[],
): Promise<{ stored: Recorded | undefined; departure: Placement | undefined }[]> {
  const { epoch, revision, status, createdAt } = jobs
  const { database, version } = departures
  const asked = sql`json_each(${JSON.stringify(keys)})`
  const isAsked = (column: SQLiteColumn, name: keyof JobKey) =>
    sql`${column} = value ->> ${sql.raw(`'${name}'`)}`
  const rows = await store
    .select({ stored: { epoch, revision, status, createdAt }, departure: { database, version } })
    .from(asked)
    .leftJoin(jobs, and(isAsked(jobs.organizationId, 'organizationId'), isAsked(jobs.jobId, 'jobId')))
    .leftJoin(departures, isAsked(departures.organizationId, 'organizationId'))
    .orderBy(sql`key`)
  return rows.map(({ stored, departure }) => ({
    stored: stored ?? undefined,
    departure: departure ?? undefined,
  }))
}

/** The newest of a job's entries in D1, as many as a reply shows. Throws if D1 fails. */
export async function findRecent(
  store: Store,
  key: JobKey,
  { keptErrors, keptWarnings }: Pick<Job, 'keptErrors' | 'keptWarnings'>,
): Promise<RecentEntries> {
  return {
    errors: await findRecentEntries(store, key, 'error', keptErrors),
    warnings: await findRecentEntries(store, key, 'warning', keptWarnings),
  }
}

/** Which state of the job D1 has; undefined if it has none. Throws if D1 fails. */
export async function findRecorded(store: Store, key: JobKey): Promise<Recorded | undefined> {
  const { epoch, revision, status, createdAt } = jobs
  const [row] = await store.select({ epoch, revision, status, createdAt }).from(jobs).where(ofJob(key))
  return row
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(jobs.organizationId, organizationId), eq(jobs.jobId, jobId))
}
