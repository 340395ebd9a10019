import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isKept } from '../find-entries.ts'
import { idempotentReplies, jobEntries, jobEntryGroups, jobLogs, jobs } from '../schema.ts'
import type { AnyStore } from '../store.ts'
import { PAGE_BYTES, PAGE_ROWS, type Part, rowOf } from './job-tables.ts'

/** What a counted entry adds to a page. 20,000 fill it, so no statement blocks D1 for long. */
const COUNTED_ENTRY_BYTES = PAGE_BYTES / 20_000

/** A job as one of the two databases has it. */
export interface JobState {
  jobId: string
  epoch: number
  revision: number
  createdAt: number
  /** Its entries, and their bytes: 0 unless they were counted. */
  entries: number
  entryBytes: number
  groups: number
  /** The entries in its groups. */
  grouped: number
  logs: number
  replies: number
}

export interface FoundJob extends JobState {
  /** The row as a JSON array. */
  row: string
}

/** Which jobs to look at. Counting their entries takes longer. */
export interface Scope {
  organizationId: string
  countsEntries: boolean
}

/** The jobs of an organization after one of them, by id: as many as fit on a page, at least one if any are left. */
export async function findPage(store: AnyStore, scope: Scope, after: string): Promise<FoundJob[]> {
  const { organizationId, countsEntries } = scope
  const { jobId, keptErrors, keptWarnings } = jobs
  const row = rowOf(jobs)
  const counted = countsEntries ? sql`${COUNTED_ENTRY_BYTES} * (${keptErrors} + ${keptWarnings})` : sql`0`
  const next = sql`
    select ${jobId} as id, octet_length(${row}) + ${counted} as weight from ${jobs}
    where ${jobs.organizationId} = ${organizationId} and ${jobId} > ${after} order by ${jobId} limit ${PAGE_ROWS}`
  const sized = sql`(select id, sum(weight) over (order by id) - weight as before from (${next})) sized`
  return await store
    .select({ ...stateColumns(scope), row })
    .from(sized)
    .innerJoin(jobs, and(eq(jobs.organizationId, organizationId), sql`${jobId} = sized.id`))
    .where(sql`sized.before < ${PAGE_BYTES}`)
    .orderBy(jobId)
}

/** The states of the same jobs in another database, by id. */
export async function findStates(
  store: AnyStore,
  scope: Scope,
  page: FoundJob[],
): Promise<Map<string, JobState>> {
  const ids = JSON.stringify(page.map(({ jobId }) => jobId))
  const states = await store
    .select(stateColumns(scope))
    .from(sql`json_each(${ids}) wanted`)
    .innerJoin(jobs, and(eq(jobs.organizationId, scope.organizationId), sql`${jobs.jobId} = wanted.value`))
  return new Map(states.map((state) => [state.jobId, state]))
}

function stateColumns({ countsEntries }: Scope) {
  const { jobId, epoch, revision, createdAt } = jobs
  const ofEntries = (measure: SQL) =>
    sql<number>`${countsEntries ? countIn(jobEntries, measure, isKept) : sql`0`}`
  // Named, because wrangler returns rows as objects: columns of the same name, such as two zeros, would be one.
  return {
    jobId,
    epoch,
    revision,
    createdAt,
    entries: ofEntries(sql`count(*)`).as('entries'),
    entryBytes: ofEntries(sql`total(octet_length(${jobEntries.text}))`).as('text_bytes'),
    groups: sql<number>`${countIn(jobEntryGroups, sql`count(*)`)}`,
    grouped: sql<number>`${countIn(jobEntryGroups, sql`total(${jobEntryGroups.count})`)}`,
    logs: sql<number>`${countIn(jobLogs, sql`count(*)`)}`.as('logs'),
    replies: sql<number>`${countIn(idempotentReplies, sql`count(*)`)}`,
  }
}

function countIn(table: Part, measure: SQL, more?: SQL): SQL {
  const isOfJob = and(eq(table.organizationId, jobs.organizationId), eq(table.jobId, jobs.jobId))
  return sql`(select ${measure} from ${table} where ${and(isOfJob, more)})`
}
