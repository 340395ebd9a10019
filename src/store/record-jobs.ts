import { and, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { type Entry, type Job, type JobKey, nameOf } from '../jobs/job.ts'
import type { Placement } from '../jobs/placement.ts'
import { utf8Bytes } from '../jobs/utf8-bytes.ts'
import { excluded, isOlderThan } from './fence.ts'
import { findStates, isSameState, type Recorded } from './find-job.ts'
import { jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

/** What D1 lacks of a job: entries and, unless more of them follow, the job itself. */
export interface JobRecord {
  key: JobKey
  job: Job
  entries: Entry[]
  /** More entries of this revision follow; the job is written with the last of them. */
  unfinished: boolean
  /** The status is unchanged, so no indexed column is written. This halves the rows written. */
  onlyProgress: boolean
}

/** A record as it travels: its object has turned the large parts into JSON, and nobody parses them before D1. */
export interface PackedRecord extends Pick<JobRecord, 'key' | 'unfinished' | 'onlyProgress'> {
  state: Recorded
  /** The job's row as a JSON object; the names are those of the schema. */
  row: string
  /** Its entries as JSON objects, separated by commas. */
  entries: string
  /** Of both, in UTF-8. */
  bytes: number
}

/** Whether D1 has the record now, or which other state it has instead. An error: D1 did not say. */
export type Recording =
  | { landed: true }
  | { landed: false; stored: Recorded }
  /** The organization has left this database. */
  | { landed: false; moved: Placement }

export function packRecord({ key, job, entries, unfinished, onlyProgress }: JobRecord): PackedRecord {
  const { epoch, revision, status, createdAt } = job
  const place = { ...key, epoch, revision, createdAt }
  const row = JSON.stringify({ ...job, ...key })
  const texts = entries.map((entry) => JSON.stringify({ ...entry, ...place })).join()
  return {
    key,
    unfinished,
    onlyProgress,
    state: { epoch, revision, status, createdAt },
    row,
    entries: texts,
    bytes: utf8Bytes(row) + utf8Bytes(texts),
  }
}

/**
 * Records several jobs in D1, in one atomic batch that is safe to repeat; no two of them may be of the same job. A record
 * lands only over a lower epoch, or over a lower revision of the same epoch and creation, so a late write of a replaced
 * object changes nothing. Answers in the order of the records. Throws if D1 does not take the batch.
 */
export async function recordJobs(store: Store, records: PackedRecord[]): Promise<(Recording | Error)[]> {
  const finished = records.filter(({ unfinished }) => !unfinished)
  const progress = finished.filter(({ onlyProgress }) => onlyProgress)
  const landed = await write(store, {
    entries: records,
    progress,
    whole: finished.filter(({ onlyProgress }) => !onlyProgress),
  })
  // If the update found no row, D1 has lost the job or has a newer one: the upsert tells which.
  const missed = progress.filter((record) => !landed.has(nameOf(record.key)))
  for (const name of await write(store, { entries: [], progress: [], whole: missed })) landed.add(name)
  const hasLanded = ({ unfinished, key }: PackedRecord) => unfinished || landed.has(nameOf(key))
  const judgments = await judge(
    store,
    records.filter((record) => !hasLanded(record)),
  )
  return records.map((record) =>
    hasLanded(record) ? { landed: true } : (judgments.get(nameOf(record.key)) ?? NOT_TAKEN),
  )
}

const NOT_TAKEN = new Error('D1 did not take the job and does not have it')

/** What became of the records that changed nothing, by the names of their jobs: one query for all. */
async function judge(store: Store, records: PackedRecord[]): Promise<Map<string, Recording | Error>> {
  if (records.length === 0) return new Map()
  try {
    const found = await findStates(
      store,
      records.map(({ key }) => key),
    )
    return new Map(
      records.flatMap(({ key, state }, at): [string, Recording][] => {
        const { stored, departure: moved } = found[at] ?? {}
        // An earlier write of this state timed out here but landed.
        if (stored !== undefined && isSameState(stored, state)) return [[nameOf(key), { landed: true }]]
        if (moved !== undefined) return [[nameOf(key), { landed: false, moved }]]
        return stored === undefined ? [] : [[nameOf(key), { landed: false, stored }]]
      }),
    )
  } catch (error) {
    const failure = error instanceof Error ? error : NOT_TAKEN
    return new Map(records.map(({ key }) => [nameOf(key), failure]))
  }
}

interface Writes {
  entries: PackedRecord[]
  progress: PackedRecord[]
  whole: PackedRecord[]
}

/** Returns the names of the jobs whose rows changed. */
async function write(store: Store, { entries, progress, whole }: Writes): Promise<Set<string>> {
  const texts = entries.flatMap((record) => record.entries || [])
  const writesOfJobs = [
    ...(progress.length > 0 ? [updateProgress(store, rowsOf(progress))] : []),
    ...(whole.length > 0 ? [upsertJobs(store, rowsOf(whole))] : []),
  ]
  const [first, ...others] = [
    ...(texts.length > 0 ? [upsertEntries(store, `[${texts.join()}]`)] : []),
    ...writesOfJobs,
  ]
  if (first === undefined) return new Set()
  const results: unknown[] = await store.batch([first, ...others])
  const changed = results.slice(results.length - writesOfJobs.length) as JobKey[][]
  return new Set(changed.flat().map(nameOf))
}

const rowsOf = (records: PackedRecord[]) => `[${records.map(({ row }) => row).join()}]`

const COLUMNS = getTableColumns(jobs)
type Column = keyof typeof COLUMNS
const ALL = Object.keys(COLUMNS) as Column[]
/**
 * What a report leaves alone that does not change the status: the columns of a job that are indexed, or that `job_terms`
 * is made from.
 */
const FIXED: Column[] = [
  'organizationId',
  'jobId',
  'jobType',
  'status',
  'labels',
  'parentJobId',
  'triggeredBy',
  'startWithinSeconds',
  'finishWithinSeconds',
  'createdAt',
  'completedAt',
]
const RETURNED = { organizationId: jobs.organizationId, jobId: jobs.jobId }

/** A column of the row that `json_each` is at. */
function sent(column: Column): SQL {
  return sql.raw(`value ${COLUMNS[column].dataType === 'json' ? '->' : '->>'} '${column}'`)
}

function isSent(column: Column): SQL {
  return sql`${jobs[column]} = ${sent(column)}`
}

/** `from` for each column, but those that are left out. */
function each(from: (column: Column) => SQL, leftOut: Column[] = []): Record<string, SQL> {
  return Object.fromEntries(
    ALL.filter((column) => !leftOut.includes(column)).map((column) => [column, from(column)]),
  )
}

function updateProgress(store: Store, rows: string) {
  return store
    .update(jobs)
    .set(each(sent, FIXED))
    .from(sql`json_each(${rows})`)
    .where(and(isSent('organizationId'), isSent('jobId'), isSent('status'), isOlderThan(sent)))
    .returning(RETURNED)
}

function upsertJobs(store: Store, rows: string) {
  return store
    .insert(jobs)
    .select(sql`select ${sql.join(ALL.map(sent), sql`, `)} from json_each(${rows}) where true`)
    .onConflictDoUpdate({
      target: [jobs.organizationId, jobs.jobId],
      set: each(excluded, ['organizationId', 'jobId']),
      setWhere: isOlderThan(excluded),
    })
    .returning(RETURNED)
}

/** An entry that is already at the same place is either this one or one that a replaced object left. */
function upsertEntries(store: Store, entries: string) {
  const { organizationId, jobId, kind, seq, text } = jobEntries
  const isOwn = and(isSent('epoch'), isSent('revision'), isSent('createdAt'))
  const rows = sql`
    select value ->> 'organizationId', value ->> 'jobId', value ->> 'kind', value ->> 'seq', value ->> 'text'
    from json_each(${entries})
    where not exists (select 1 from ${jobs} where ${isSent('organizationId')} and ${isSent('jobId')}
      and not (${isOlderThan(sent)}) and not (${isOwn}))`
  return store
    .insert(jobEntries)
    .select(rows)
    .onConflictDoUpdate({
      target: [organizationId, jobId, kind, seq],
      set: { text: sql`excluded.text` },
      setWhere: sql`${text} <> excluded.text`,
    })
}
