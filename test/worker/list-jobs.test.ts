import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { JOB_STATUSES, type Job, type JobStatus } from '../../src/jobs/job.ts'
import type { JobFilter, Place } from '../../src/jobs/job-filter.ts'
import { type JobPage, type JobPageQuery, listJobs } from '../../src/store/list-jobs.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { aJobKey, createdJob, readJob, recordedJob, reported, store } from './fixtures.ts'
import { addJobs, aPage, PERIOD, queriesOf, START } from './many-jobs.ts'

/** Every combination of filters. */
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

/** Applies a filter to one job, without SQL. */
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

/** All pages of a list; `between` runs after each. */
async function walk(
  organizationId: string,
  wanted: Partial<JobPageQuery>,
  between: () => Promise<void> = async () => {},
  from: Store = store,
): Promise<Job[][]> {
  const pages: Job[][] = []
  for (let page: JobPage | undefined; page?.hasMore ?? true; ) {
    const query = { ...aPage, ...wanted, after: pages.at(-1)?.at(-1) }
    page = await listJobs(from, organizationId, query)
    expect(page.jobs.length).toBeLessThanOrEqual(query.limit)
    // A page without a job would have no place to go on from.
    if (page.hasMore) expect(page.jobs).not.toEqual([])
    pages.push(page.jobs)
    await between()
  }
  return pages
}

/** D1 with a `change` after each result, before the caller can use the result. */
function interrupted(change: () => Promise<void>): Store {
  const interrupt = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    const answered = await answer
    await change()
    return answered
  }
  const prepare = (sql: string) => ({
    bind: (...params: unknown[]) => {
      const statement = env.DB.prepare(sql).bind(...params)
      return { statement, raw: () => interrupt(statement.raw()) }
    },
  })
  const batch = (bound: { statement: D1PreparedStatement }[]) =>
    interrupt(env.DB.batch(bound.map(({ statement }) => statement)))
  return openStore({ prepare, batch } as unknown as D1Database)
}

const idsOf = (jobs: Job[]) => jobs.map(({ jobId }) => jobId)

describe('An organization’s jobs', () => {
  const { organizationId } = aJobKey()
  const COUNT = 2 * PERIOD
  let all: Job[]

  beforeAll(async () => {
    // Four share each time, so the order among them matters.
    await addJobs(organizationId, COUNT, { together: 4 })
    await addJobs(aJobKey().organizationId, PERIOD)
    all = (await listJobs(store, organizationId, aPage)).jobs
  })

  test('are listed newest first, by ID within a millisecond, without those of other organizations', () => {
    expect(all).toHaveLength(COUNT)
    const sorted = all.toSorted((a, b) => b.createdAt - a.createdAt || (a.jobId < b.jobId ? 1 : -1))
    expect(idsOf(all)).toEqual(idsOf(sorted))
    expect(new Set(all.map(({ createdAt }) => createdAt)).size).toBe(COUNT / 4)
  })

  test('can be narrowed by every combination of filters, page by page to the end', async () => {
    const filters = allFilters(START + 20_000, START + 80_000)
    expect(filters).toHaveLength(128)
    for (const filter of filters) {
      const wanted = all.filter((job) => isWanted(job, filter))
      const isImpossible = filter.stalled && filter.statuses.length === 2
      expect({ filter, isEmpty: wanted.length === 0 }).toEqual({ filter, isEmpty: isImpossible ?? false })
      const found = await walk(organizationId, { filter, limit: 40 })
      expect({ filter, ids: idsOf(found.flat()) }).toEqual({ filter, ids: idsOf(wanted) })
    }
  })

  test('come in pages of any size, each job once', async () => {
    const failed = idsOf(all.filter(({ status }) => status === 'failed'))
    for (const limit of [1, 2, 7, failed.length, 200]) {
      const pages = await walk(organizationId, { filter: { statuses: ['failed'] }, limit })
      expect(idsOf(pages.flat())).toEqual(failed)
      expect(pages).toHaveLength(Math.ceil(failed.length / limit))
    }
  })

  test('come once each, even while others are created', async () => {
    const organization = aJobKey().organizationId
    await addJobs(organization, 100)
    const before = await listJobs(store, organization, aPage)
    let first = 100
    const found = await walk(organization, { limit: 15 }, async () => {
      await addJobs(organization, 10, { first })
      first += 10
    })
    expect(first).toBeGreaterThan(150)
    expect(idsOf(found.flat())).toEqual(idsOf(before.jobs))
  })

  test('in one status are all listed, and no others, while some complete and others are deleted', async () => {
    const organization = aJobKey().organizationId
    await addJobs(organization, 7 * 60)
    const filter: JobFilter = { statuses: ['in_progress'] }
    const before = await listJobs(store, organization, { ...aPage, filter })
    let changes = 0
    // The newest running job completes, and the next one is deleted.
    const change = async () => {
      changes += 1
      const newest = `organization_id = ?1 and job_id =
        (select job_id from jobs where organization_id = ?1 and status = 'in_progress' order by created_at desc limit 1)`
      await env.DB.prepare(`update jobs set status = 'completed' where ${newest}`).bind(organization).run()
      await env.DB.prepare(`delete from jobs where ${newest}`).bind(organization).run()
    }
    const pages = await walk(organization, { filter, limit: 4 }, undefined, interrupted(change))
    expect(changes).toBeGreaterThanOrEqual(pages.length)
    expect(new Set(pages.flat().map(({ status }) => status))).toEqual(new Set(['in_progress']))
    const left = await listJobs(store, organization, { ...aPage, filter })
    expect(left.jobs).toHaveLength(before.jobs.length - 2 * changes)
    expect(left.jobs.length).toBeGreaterThan(10)
    expect(idsOf(pages.flat())).toEqual(expect.arrayContaining(idsOf(left.jobs)))
  })

  test('are listed as reported', async () => {
    const key = await createdJob()
    await reported(key, { markStarted: true, stage: 'uploading', metadataPatch: { deep: [{ a: null }] } })
    await reported(key, { processedItems: 3, markFailed: 'gone' })
    const { job } = await readJob(key)
    expect((await recordedJob(key))?.job).toEqual(job)
    const filter: JobFilter = { statuses: ['failed', 'pending'] }
    const page = await listJobs(store, key.organizationId, { ...aPage, filter })
    expect(page).toEqual({ jobs: [job], hasMore: false, isComplete: true })
  })
})

describe('A page of heavy jobs', () => {
  const { organizationId } = aJobKey()
  const METADATA = 10_000
  const MESSAGE = 1_000

  beforeAll(async () => {
    await addJobs(organizationId, 30)
    await env.DB.prepare(
      `update jobs set metadata = json_object('blob', ?2), error_message = ?3 where organization_id = ?1`,
    )
      .bind(organizationId, 'x'.repeat(METADATA), 'é'.repeat(MESSAGE / 2))
      .run()
  })

  test('ends with the job that reaches the bytes allowed, and the next page goes on from there', async () => {
    const { jobs } = await listJobs(store, organizationId, { ...aPage, bytes: 1_000_000 })
    expect(jobs).toHaveLength(30)
    for (const [bytes, sizes] of [
      [1, Array(30).fill(1)],
      [2.5 * (METADATA + MESSAGE), Array(10).fill(3)],
      [12 * (METADATA + MESSAGE), [12, 12, 6]],
    ] as const) {
      const pages = await walk(organizationId, { bytes })
      expect(pages.map(({ length }) => length)).toEqual(sizes)
      expect(idsOf(pages.flat())).toEqual(idsOf(jobs))
    }
    const limited = await walk(organizationId, { limit: 2, bytes: 2.5 * (METADATA + MESSAGE) })
    expect(limited.map(({ length }) => length)).toEqual(Array(15).fill(2))
  })

  test('holds more jobs without their metadata, which is then not even read', async () => {
    const light = { ...aPage, bytes: 12 * (METADATA + MESSAGE), withMetadata: false }
    const [whole] = await walk(organizationId, {})
    const [page, ...others] = await walk(organizationId, light)
    expect(others).toEqual([])
    expect(page).toEqual(whole?.map((job) => ({ ...job, metadata: {} })))

    const { again } = await queriesOf(organizationId, light)
    const [answer] = await env.DB.batch(again())
    expect(answer?.results).toHaveLength(30)
    expect(JSON.stringify(answer?.results)).not.toContain('blob')
  })
})

describe('Every filter of a list uses an index', () => {
  const { organizationId } = aJobKey()
  const places: Record<string, Place | undefined> = {
    'on its first page': undefined,
    'on a later page': { createdAt: START + 60_000, jobId: `job_${'0'.repeat(32)}` },
  }

  beforeAll(() => addJobs(organizationId, PERIOD))

  test.each(Object.entries(places))('%s', async (_, after) => {
    for (const filter of allFilters(START, START + 90_000)) {
      const steps = await explain(filter, after)
      const searches = steps.filter(({ detail }) => /\bjobs\b/.test(detail)).map(({ detail }) => detail)
      expect({ filter, searches }).toEqual({ filter, searches: expectedSearches(filter, after) })
      // The index is in order: nothing is sorted, so the limit ends the search.
      const places = steps.find(({ detail }) => detail === 'CO-ROUTINE places')
      expect({ filter, isThere: places !== undefined }).toEqual({ filter, isThere: searches.length > 0 })
      const sorts = within(steps, places?.id).filter(({ detail }) => detail.includes('TEMP B-TREE'))
      expect({ filter, sorts }).toEqual({ filter, sorts: [] })
    }
  })

  /** One search per status, bounded on both sides by the index; then the jobs are weighed and read. */
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
      // Stalled jobs are few, so their type and trigger may be filtered without an index.
      if (statuses.length > 0 && !statuses.includes('in_progress')) return []
      return [
        `SEARCH jobs USING INDEX jobs_stalled (${['organization_id=?', ...bounds].join(' AND ')})`,
        byPlace,
        `${byPlace} LEFT-JOIN`,
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
    return [...Array(statuses.length || JOB_STATUSES.length).fill(search), byPlace, `${byPlace} LEFT-JOIN`]
  }

  interface Step {
    id: number
    parent: number
    detail: string
  }

  async function explain(filter: JobFilter, after: Place | undefined): Promise<Step[]> {
    const { again } = await queriesOf(organizationId, { filter, after, limit: 51 })
    const plans = again('explain query plan ')
    if (plans.length === 0) return []
    // One statement, so the jobs read are the jobs found.
    expect(plans).toHaveLength(1)
    const [plan] = await env.DB.batch<Step>(plans)
    return plan?.results ?? []
  }

  /** The steps below a step, recursively. */
  function within(steps: Step[], id: number | undefined): Step[] {
    return steps.filter(({ parent }) => parent === id).flatMap((step) => [step, ...within(steps, step.id)])
  }
})

describe('A page costs the same however many jobs there are', () => {
  const few = { organizationId: aJobKey().organizationId, count: 10 * PERIOD }
  const many = { organizationId: aJobKey().organizationId, count: 100 * PERIOD }
  // The list looks for one more place, and even the smaller organization has four jobs of each filter after the later page.
  const LIMIT = 3

  beforeAll(async () => {
    for (const { organizationId, count } of [few, many]) await addJobs(organizationId, count)
  }, 60_000)

  /** The rows read for a page that still has this share of the jobs to come. */
  async function rowsRead({ organizationId, count }: typeof few, filter: JobFilter, older: number) {
    const n = count * older
    const after = { createdAt: START + n * 1_000, jobId: `job_${n.toString(16).padStart(32, '0')}` }
    const { again, found } = await queriesOf(organizationId, { filter, after, limit: LIMIT })
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
