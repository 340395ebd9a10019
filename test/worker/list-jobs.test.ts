import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { JOB_STATUSES, type Job, type JobStatus } from '../../src/jobs/job.ts'
import type { JobFilter, Place } from '../../src/jobs/job-filter.ts'
import { listJobs } from '../../src/store/list-jobs.ts'
import { openReplica, openStore } from '../../src/store/store.ts'
import { aJobKey, createdJob, readJob, recordedJob, reported, store } from './a-job.ts'

const START = 1_800_000_000_000
const TYPES = ['crawl', 'enrichment', 'import']
const TRIGGERS = ['ann', 'ben', 'cleo', 'nightly', null]
/** Jobs repeat after so many: each status, type and trigger has then met each other, stalled and not. */
const PERIOD = JOB_STATUSES.length * TYPES.length * TRIGGERS.length * 2

/**
 * Gives an organisation so many jobs by SQL, from `first` on, `together` in each second. Of those in progress, every
 * other one is stalled.
 */
async function addJobs(
  organizationId: string,
  count: number,
  { first = 0, together = 1 } = {},
): Promise<void> {
  await env.DB.prepare(
    `with recursive n (i) as (select cast(?2 as integer) union all select i + 1 from n where i < ?2 + ?3 - 1)
     insert into jobs (organization_id, job_id, job_type, status, triggered_by, created_at, updated_at, stalled_at,
       total_items, processed_items, failed_items, warned_items, error_count, warning_count, kept_errors,
       kept_warnings, metadata, attempts, stages, pace, revision)
     select ?1, printf('job_%032x', i), ?4 ->> (i % 3), ?5 ->> (i % 7), ?6 ->> (i % 5), ?7 + (i / cast(?8 as integer)) * 1000, ?7,
       case when i % 7 = 1 and i % 2 = 0 then ?7 end, 9, i % 9, 0, 0, 0, 0, 0, 0, '{"n":1}', '[]', '[]', '[]', 1
     from n`,
  )
    .bind(
      organizationId,
      first,
      count,
      JSON.stringify(TYPES),
      JSON.stringify(JOB_STATUSES),
      JSON.stringify(TRIGGERS),
      START,
      together,
    )
    .run()
}

/** Every combination of what a list can be narrowed by. */
function allFilters(createdAfter: number, createdBefore: number): JobFilter[] {
  let filters: JobFilter[] = [[], ['in_progress'], ['pending', 'failed'], [...JOB_STATUSES]].map(
    (statuses) => ({ statuses: statuses as JobStatus[] }),
  )
  const narrowings = [
    { jobType: 'import' },
    { triggeredBy: 'nightly' },
    { createdAfter },
    { createdBefore },
    { stalled: true as const },
  ]
  for (const narrowing of narrowings) {
    filters = filters.flatMap((filter) => [filter, { ...filter, ...narrowing }])
  }
  return filters
}

/** What the rules say of one job; the list is asked the same of an index. */
function isWanted(job: Job, filter: JobFilter): boolean {
  return (
    (filter.statuses.length === 0 || filter.statuses.includes(job.status)) &&
    (filter.jobType === undefined || job.jobType === filter.jobType) &&
    (filter.triggeredBy === undefined || job.triggeredBy === filter.triggeredBy) &&
    (filter.createdAfter === undefined || job.createdAt > filter.createdAfter) &&
    (filter.createdBefore === undefined || job.createdAt < filter.createdBefore) &&
    (!filter.stalled || job.stalledAt !== null)
  )
}

/** All pages of a list, one after the other; `between` happens after each. */
async function walk(
  organizationId: string,
  filter: JobFilter,
  limit: number,
  between: () => Promise<void> = async () => {},
): Promise<Job[]> {
  const found: Job[] = []
  for (let page: Job[] | undefined; page === undefined || page.length === limit; ) {
    page = await listJobs(store, organizationId, filter, found.at(-1), limit)
    expect(page.length).toBeLessThanOrEqual(limit)
    found.push(...page)
    await between()
  }
  return found
}

const idsOf = (jobs: Job[]) => jobs.map(({ jobId }) => jobId)

describe('An organisation’s jobs', () => {
  const { organizationId } = aJobKey()
  const COUNT = 2 * PERIOD
  let all: Job[]

  beforeAll(async () => {
    // Four in each second, so that the order among those of one millisecond counts.
    await addJobs(organizationId, COUNT, { together: 4 })
    await addJobs(aJobKey().organizationId, PERIOD)
    all = await listJobs(store, organizationId, { statuses: [] }, undefined, 1_000)
  })

  test('are listed newest first, by id among those of the same moment, and no one else’s', () => {
    expect(all).toHaveLength(COUNT)
    const sorted = all.toSorted((a, b) => b.createdAt - a.createdAt || (a.jobId < b.jobId ? 1 : -1))
    expect(idsOf(all)).toEqual(idsOf(sorted))
    expect(new Set(all.map(({ createdAt }) => createdAt)).size).toBe(COUNT / 4)
  })

  test('can be narrowed by every combination of filters, and paged through to the end', async () => {
    const filters = allFilters(START + 20_000, START + 80_000)
    expect(filters).toHaveLength(128)
    for (const filter of filters) {
      const wanted = all.filter((job) => isWanted(job, filter))
      const isImpossible = filter.stalled && filter.statuses.length === 2
      expect({ filter, isEmpty: wanted.length === 0 }).toEqual({ filter, isEmpty: isImpossible ?? false })
      const found = await walk(organizationId, filter, 40)
      expect({ filter, ids: idsOf(found) }).toEqual({ filter, ids: idsOf(wanted) })
    }
  })

  test('come in pages of any size, each job once', async () => {
    const failed = idsOf(all.filter(({ status }) => status === 'failed'))
    for (const limit of [1, 2, 7, failed.length, 200]) {
      expect(idsOf(await walk(organizationId, { statuses: ['failed'] }, limit))).toEqual(failed)
    }
  })

  test('come each once also while others are created', async () => {
    const organization = aJobKey().organizationId
    await addJobs(organization, 100)
    const before = await listJobs(store, organization, { statuses: [] }, undefined, 1_000)
    let first = 100
    const found = await walk(organization, { statuses: [] }, 15, async () => {
      await addJobs(organization, 10, { first })
      first += 10
    })
    expect(first).toBeGreaterThan(150)
    expect(idsOf(found)).toEqual(idsOf(before))
  })

  test('are the jobs that their workers reported, out of a replica as well', async () => {
    const key = await createdJob()
    await reported(key, { markStarted: true, stage: 'uploading', metadataPatch: { deep: [{ a: null }] } })
    await reported(key, { processedItems: 3, markFailed: 'gone' })
    const { job } = await readJob(key)
    expect((await recordedJob(key))?.job).toEqual(job)
    for (const from of [store, openReplica(env.DB)]) {
      const jobs = await listJobs(
        from,
        key.organizationId,
        { statuses: ['failed', 'pending'] },
        undefined,
        10,
      )
      expect(jobs).toEqual([job])
    }
  })
})

/** A page of a list, and the queries that it was made of. */
async function queriesOf(organizationId: string, filter: JobFilter, after: Place | undefined, limit: number) {
  const queries: { sql: string; params: unknown[] }[] = []
  const prepare = (sql: string) => ({
    bind: (...params: unknown[]) => {
      queries.push({ sql, params })
      return env.DB.prepare(sql).bind(...params)
    },
  })
  const batch = (statements: D1PreparedStatement[]) => env.DB.batch(statements)
  const spied = openStore({ prepare, batch } as unknown as D1Database)
  const found = await listJobs(spied, organizationId, filter, after, limit)
  const again = (prefix = '') =>
    queries.map(({ sql, params }) => env.DB.prepare(`${prefix}${sql}`).bind(...params))
  return { again, found: found.length }
}

describe('Whatever a list is narrowed by, it comes from an index', () => {
  const { organizationId } = aJobKey()
  const places: Record<string, Place | undefined> = {
    'on its first page': undefined,
    'on a later page': { createdAt: START + 60_000, jobId: `job_${'0'.repeat(32)}` },
  }

  beforeAll(() => addJobs(organizationId, PERIOD))

  test.each(Object.entries(places))('%s', async (_, after) => {
    for (const filter of allFilters(START, START + 90_000)) {
      const steps = await explain(filter, after)
      expect({ filter, steps: steps.filter((step) => /\bjobs\b/.test(step)) }).toEqual({
        filter,
        steps: expectedSearches(filter, after),
      })
      // What an index gives is in order already: nothing is sorted, so a limit ends the search.
      expect({ filter, sorts: steps.filter((step) => step.includes('TEMP B-TREE')) }).toEqual({
        filter,
        sorts: [],
      })
    }
  })

  /** One search for each status wanted, each bounded on both sides by the index, and one for the jobs so found. */
  function expectedSearches(filter: JobFilter, after: Place | undefined): string[] {
    const { statuses, jobType, triggeredBy, createdAfter, createdBefore, stalled } = filter
    const bounds = [
      ...(createdAfter === undefined ? [] : ['created_at>?']),
      ...(after !== undefined
        ? ['(created_at,job_id)<(?,?)']
        : createdBefore !== undefined
          ? ['created_at<?']
          : []),
    ]
    const byPlace = 'SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (organization_id=? AND job_id=?)'
    if (stalled) {
      // There are few stalled jobs, so that a type or trigger is looked for among them.
      if (statuses.length > 0 && !statuses.includes('in_progress')) return []
      return [
        `SEARCH jobs USING INDEX jobs_stalled (${['organization_id=?', ...bounds].join(' AND ')})`,
        byPlace,
      ]
    }
    const index = jobType ? (triggeredBy ? 'type_and_trigger' : 'type') : triggeredBy ? 'trigger' : 'status'
    const columns = [
      'organization_id=?',
      ...(jobType ? ['job_type=?'] : []),
      ...(triggeredBy ? ['triggered_by=?'] : []),
      'status=?',
      ...bounds,
    ]
    const search = `SEARCH jobs USING COVERING INDEX jobs_by_${index} (${columns.join(' AND ')})`
    return [...Array(statuses.length || JOB_STATUSES.length).fill(search), byPlace]
  }

  async function explain(filter: JobFilter, after: Place | undefined): Promise<string[]> {
    const { again } = await queriesOf(organizationId, filter, after, 51)
    const plans = again('explain query plan ')
    const steps = plans.length === 0 ? [] : await env.DB.batch<{ detail: string }>(plans)
    return steps.flatMap(({ results }) => results.map(({ detail }) => detail))
  }
})

describe('A page costs the same however many jobs there are', () => {
  const few = { organizationId: aJobKey().organizationId, count: 10 * PERIOD }
  const many = { organizationId: aJobKey().organizationId, count: 100 * PERIOD }
  const LIMIT = 4

  beforeAll(async () => {
    for (const { organizationId, count } of [few, many]) await addJobs(organizationId, count)
  }, 60_000)

  /** Rows read for a page behind the job that so great a share of the jobs is older than. */
  async function rowsRead({ organizationId, count }: typeof few, filter: JobFilter, older: number) {
    const n = count * older
    const after = { createdAt: START + n * 1_000, jobId: `job_${n.toString(16).padStart(32, '0')}` }
    const { again, found } = await queriesOf(organizationId, filter, after, LIMIT)
    const results = found === 0 ? [] : await env.DB.batch(again())
    return { found, rows: results.reduce((rows, { meta }) => rows + meta.rows_read, 0) }
  }

  test.each([
    ['the first', 1],
    ['one far behind it', 0.4],
  ])('%s', async (_, older) => {
    const filters = allFilters(START - 1, START + 1_000_000_000)
    for (const filter of filters.filter(({ statuses }) => statuses.length % 2 === 0)) {
      const [ofFew, ofMany] = [await rowsRead(few, filter, older), await rowsRead(many, filter, older)]
      expect({ filter, ...ofMany }).toEqual({ filter, ...ofFew })
      const isEmpty = filter.stalled && filter.statuses.length === 2
      expect(ofMany.found).toBe(isEmpty ? 0 : LIMIT)
    }
  })
})
