import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { departures, idempotentReplies, jobEntries, jobEntryGroups, jobs } from './schema.ts'
import type { AnyStore } from './store.ts'

/** Bounds of one page. D1 takes values of up to 2 MB, and one character of JSON may take several bytes. */
const MAX_ROWS = 500
const MAX_BYTES = 400_000
/** What an entry adds to a page of jobs whose entries are counted: 20,000 fill it, so no statement blocks D1 for long. */
const COUNTED_ENTRY_BYTES = MAX_BYTES / 20_000
/** The rows that one statement deletes. */
const DELETED_ROWS = 2_000

/** The tables that belong to a job besides its own. */
const PARTS = [jobEntries, jobEntryGroups, idempotentReplies] as const
type Part = (typeof PARTS)[number]
type Table = typeof jobs | Part

/** The database that an organization leaves, and the one where it goes. */
export interface Ends {
  from: AnyStore
  to: AnyStore
}

/** A job as one of the two databases has it. */
interface JobState {
  jobId: string
  epoch: number
  revision: number
  createdAt: number
  /** The number and bytes of its entries; empty unless they were counted. */
  entries: string
  groups: number
  /** The entries in its groups. */
  grouped: number
  replies: number
}

interface FoundJob extends JobState {
  /** The row as a JSON array. */
  row: string
}

/**
 * Copies what `to` lacks of an organization's jobs. Safe to repeat, and beside writers of either database: a job lands
 * only over an older state of itself, and only after everything that belongs to it. Returns how many jobs were copied.
 *
 * @param isExact whether to count each job's entries, too; otherwise jobs of the same revision have the same entries
 */
export async function copyOrganization(
  { from, to }: Ends,
  organizationId: string,
  { isExact }: { isExact: boolean },
): Promise<number> {
  let copied = 0
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await findPage(from, organizationId, isExact, after)
    const there = await findStates(to, organizationId, isExact, page)
    const lacking = page.filter((job) => isLacking(there.get(job.jobId), job))
    if (lacking.length > 0) await copyJobs({ from, to }, organizationId, lacking)
    copied += lacking.length
    after = page.at(-1)?.jobId
  }
  return copied
}

/**
 * Whether `to` has to get a job. It does not if its own state is newer or of another creation: then the job's object
 * records there already, and the object is right.
 */
function isLacking(there: JobState | undefined, here: JobState): boolean {
  if (there === undefined || there.epoch !== here.epoch) return (there?.epoch ?? -1) < here.epoch
  if (there.createdAt !== here.createdAt) return false
  if (there.revision !== here.revision) return there.revision < here.revision
  const isShort = (part: 'groups' | 'grouped' | 'replies') => there[part] < here[part]
  return there.entries !== here.entries || isShort('groups') || isShort('grouped') || isShort('replies')
}

/** A page of an organization's jobs by id, after one of them: as many as fit, at least one. */
async function findPage(
  store: AnyStore,
  organizationId: string,
  isExact: boolean,
  after: string,
): Promise<FoundJob[]> {
  const { jobId, keptErrors, keptWarnings } = jobs
  const row = toJson(Object.values(getTableColumns(jobs)))
  const counted = isExact ? sql`${COUNTED_ENTRY_BYTES} * (${keptErrors} + ${keptWarnings})` : sql`0`
  const next = sql`
    select ${jobId} as id, octet_length(${row}) + ${counted} as weight from ${jobs}
    where ${jobs.organizationId} = ${organizationId} and ${jobId} > ${after} order by ${jobId} limit ${MAX_ROWS}`
  const sized = sql`(select id, sum(weight) over (order by id) - weight as before from (${next})) sized`
  return await store
    .select({ ...stateOf(isExact), row })
    .from(sized)
    .innerJoin(jobs, and(eq(jobs.organizationId, organizationId), sql`${jobId} = sized.id`))
    .where(sql`sized.before < ${MAX_BYTES}`)
    .orderBy(jobId)
}

/** The states of the same jobs in another database, by id. */
async function findStates(
  store: AnyStore,
  organizationId: string,
  isExact: boolean,
  page: FoundJob[],
): Promise<Map<string, JobState>> {
  const ids = JSON.stringify(page.map(({ jobId }) => jobId))
  const states = await store
    .select(stateOf(isExact))
    .from(sql`json_each(${ids}) wanted`)
    .innerJoin(jobs, and(eq(jobs.organizationId, organizationId), sql`${jobs.jobId} = wanted.value`))
  return new Map(states.map((state) => [state.jobId, state]))
}

function stateOf(isExact: boolean) {
  const { jobId, epoch, revision, createdAt } = jobs
  const countIn = (table: Part, measure: SQL, more?: SQL) => {
    const isOfJob = and(eq(table.organizationId, jobs.organizationId), eq(table.jobId, jobId))
    return sql`(select ${measure} from ${table} where ${and(isOfJob, more)})`
  }
  const entries = countIn(jobEntries, sql`count(*) || ' ' || total(octet_length(${jobEntries.text}))`, isKept)
  return {
    jobId,
    epoch,
    revision,
    createdAt,
    entries: sql<string>`${isExact ? entries : sql`''`}`,
    groups: sql<number>`${countIn(jobEntryGroups, sql`count(*)`)}`,
    grouped: sql<number>`${countIn(jobEntryGroups, sql`total(${jobEntryGroups.count})`)}`,
    replies: sql<number>`${countIn(idempotentReplies, sql`count(*)`)}`,
  }
}

/** An entry that its job counts. A replaced object may have left others. */
const isKept = sql`${jobEntries.seq} <=
  case ${jobEntries.kind} when 'error' then ${jobs.keptErrors} else ${jobs.keptWarnings} end`

/** Copies jobs as they were found, after all that belongs to them. */
async function copyJobs({ from, to }: Ends, organizationId: string, found: FoundJob[]): Promise<void> {
  const states = JSON.stringify(
    found.map(({ jobId, epoch, revision, createdAt }) => [jobId, epoch, revision, createdAt]),
  )
  for (const table of PARTS) {
    for (let after: string | undefined = '[]'; after !== undefined; ) {
      const page = await findParts(from, organizationId, table, states, after)
      if (page.length > 0) await insertParts(to, organizationId, table, states, page)
      after = page.at(-1)?.key
    }
  }
  await insertJobs(to, found)
}

/** The rest of a table's primary key, after the organization and the job. */
function keyOf(table: Part): SQLiteColumn[] {
  switch (table) {
    case jobEntries:
      return [jobEntries.jobId, jobEntries.kind, jobEntries.seq]
    case jobEntryGroups:
      return [jobEntryGroups.jobId, jobEntryGroups.kind, jobEntryGroups.rank]
    default:
      return [idempotentReplies.jobId, idempotentReplies.requestKey]
  }
}

interface PartRow {
  /** The row and its key as JSON arrays. */
  row: string
  key: string
}

/** A page of the rows of a table that belong to these jobs, after a key: as many as fit, at least one. */
async function findParts(
  store: AnyStore,
  organizationId: string,
  table: Part,
  states: string,
  after: string,
): Promise<PartRow[]> {
  const key = keyOf(table)
  const keys = sql.join(key, sql`, `)
  const row = toJson(Object.values(getTableColumns(table)))
  const isAfter =
    after === '[]'
      ? undefined
      : sql`(${keys}) > (${sql.join(
          key.map((_, at) => sql`${after} ->> ${sql.raw(String(at))}`),
          sql`, `,
        )})`
  const kept = table === jobEntries ? isKept : undefined
  const isOfJobs = sql`${table.jobId} in (select value ->> 0 from json_each(${states}))`
  const next = sql`
    select ${row} as part, ${toJson(key)} as place from ${table}
    join ${jobs} on ${jobs.organizationId} = ${table.organizationId} and ${jobs.jobId} = ${table.jobId}
    where ${and(eq(table.organizationId, organizationId), isOfJobs, kept, isAfter)} order by ${keys} limit ${MAX_ROWS}`
  const page = sql`(
    select part, place, sum(octet_length(part)) over (rows unbounded preceding) - octet_length(part) as before
    from (${next}))`
  return await store
    .select({ row: sql<string>`part`, key: sql<string>`place` })
    .from(page)
    .where(sql`before < ${MAX_BYTES}`)
}

/** Writes rows of jobs unless the database has a newer state of their job. */
async function insertParts(
  store: AnyStore,
  organizationId: string,
  table: Part,
  states: string,
  page: PartRow[],
): Promise<void> {
  const columns = Object.values(getTableColumns(table))
  const job = sql.raw(`value ->> ${columns.indexOf(table.jobId)}`)
  const isNewer = sql`${jobs.epoch} > value ->> 1 or (${jobs.epoch} = value ->> 1
    and (${jobs.revision} > value ->> 2 or ${jobs.createdAt} <> value ->> 3))`
  const rows = sql`
    select ${fromJson(columns)} from json_each(${toList(page)})
    where ${job} not in (select ${jobs.jobId} from json_each(${states}) join ${jobs}
      on ${jobs.organizationId} = ${organizationId} and ${jobs.jobId} = value ->> 0 where ${isNewer})`
  await store
    .insert(table)
    .select(rows)
    .onConflictDoUpdate({
      target: [table.organizationId, ...keyOf(table)],
      set: setExcluded(columns),
    })
}

/** The fence of every record: a job lands over an older state of itself. */
async function insertJobs(store: AnyStore, found: FoundJob[]): Promise<void> {
  const columns = Object.values(getTableColumns(jobs))
  const isOlder = sql`${jobs.epoch} < excluded.epoch or (${jobs.epoch} = excluded.epoch
    and ${jobs.revision} < excluded.revision and ${jobs.createdAt} = excluded.created_at)`
  await store
    .insert(jobs)
    .select(sql`select ${fromJson(columns)} from json_each(${toList(found)}) where true`)
    .onConflictDoUpdate({
      target: [jobs.organizationId, jobs.jobId],
      set: setExcluded(columns),
      setWhere: isOlder,
    })
}

/** Deletes everything of an organization's jobs from a database that it has left, in steps. */
export async function deleteOrganization(store: AnyStore, organizationId: string): Promise<void> {
  for (const table of [...PARTS, jobs]) while (await deleteSome(store, table, organizationId)) {}
}

/** True if there may be more. */
async function deleteSome(store: AnyStore, table: Table, organizationId: string): Promise<boolean> {
  const key = table === jobs ? [jobs.jobId] : keyOf(table as Part)
  const keys = sql.join(key, sql`, `)
  // Should it come back while this is still running, nothing more of it is deleted.
  const hasLeft = sql`exists (select 1 from ${departures} where ${departures.organizationId} = ${organizationId})`
  const isOfOrganization = and(eq(table.organizationId, organizationId), hasLeft)
  const some = sql`(select ${keys} from ${table} where ${isOfOrganization} limit ${DELETED_ROWS})`
  const deleted = await store
    .delete(table)
    .where(and(isOfOrganization, sql`(${keys}) in ${some}`))
    .returning({ jobId: table.jobId })
  return deleted.length === DELETED_ROWS
}

function toJson(columns: SQLiteColumn[]): SQL<string> {
  return sql<string>`json_array(${sql.join(columns, sql`, `)})`
}

/** The columns of the row that `json_each` is at. */
function fromJson(columns: SQLiteColumn[]): SQL {
  return sql.join(
    columns.map((_, at) => sql.raw(`value ->> ${at}`)),
    sql`, `,
  )
}

function toList(rows: { row: string }[]): string {
  return `[${rows.map(({ row }) => row).join()}]`
}

function setExcluded(columns: SQLiteColumn[]): Record<string, SQL> {
  return Object.fromEntries(
    columns.map((column) => {
      const [field = ''] =
        Object.entries(getTableColumns(column.table as Table)).find(([, each]) => each === column) ?? []
      return [field, sql.raw(`excluded.${column.name}`)]
    }),
  )
}
