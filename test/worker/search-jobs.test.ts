import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, test } from 'vitest'
import { JOB_STATUSES, type Job } from '../../src/jobs/job.ts'
import { type JobFilter, SORTS, type Sort } from '../../src/jobs/job-filter.ts'
import { MAX_COUNTED, MAX_LABELS, MAX_SEARCHED_JOBS, MAX_SEARCHED_TERMS } from '../../src/jobs/limits.ts'
import { countJobs, listJobs } from '../../src/store/list-jobs.ts'
import { aJobKey, aNewJob, createdJob, reported, store, untilRecorded } from './fixtures.ts'
import { addJobs, aPage, PERIOD, queriesOf, START } from './many-jobs.ts'

const ANY: JobFilter = { statuses: [] }

/** All pages of a search. */
async function walk(organizationId: string, filter: JobFilter, sort: Sort, limit: number): Promise<Job[]> {
  const found: Job[] = []
  for (let after: { createdAt: number; jobId: string } | undefined; ; ) {
    const page = await listJobs(store, organizationId, { ...aPage, filter, sort, after, limit })
    expect(page.isComplete).toBe(true)
    found.push(...page.jobs)
    if (!page.hasMore) return found
    after = page.reached ?? page.jobs.at(-1)
  }
}

const idsOf = (jobs: Job[]) => jobs.map(({ jobId }) => jobId)

describe('Jobs are found, in either order and page by page, by', () => {
  const { organizationId } = aJobKey()
  let all: Job[]

  beforeAll(async () => {
    // Four share each time, so the order among them matters.
    await addJobs(organizationId, PERIOD, { together: 4 })
    await addJobs(aJobKey().organizationId, PERIOD)
    all = (await listJobs(store, organizationId, aPage)).jobs
  })

  const berlin = (job: Job) => job.labels.Shop === 'Berlin 1'
  const isLate = (job: Job) => job.lateAt !== null
  const cases: [name: string, filter: Partial<JobFilter>, isWanted: (job: Job) => boolean][] = [
    ['a label', { labels: [['Shop', 'Berlin 1']] }, berlin],
    ['a label in another case', { labels: [['shop', 'BERLIN 1']] }, berlin],
    [
      'two labels',
      {
        labels: [
          ['plan', 'gold'],
          ['Shop', 'Berlin 1'],
        ],
      },
      berlin,
    ],
    [
      'a label and a status',
      { labels: [['Shop', 'Berlin 1']], statuses: ['failed'] },
      (job) => berlin(job) && job.status === 'failed',
    ],
    [
      'a label and the time',
      { labels: [['Shop', 'Berlin 1']], createdAfter: START + 10_000, createdBefore: START + 30_000 },
      (job) => berlin(job) && job.createdAt > START + 10_000 && job.createdAt < START + 30_000,
    ],
    ['the beginning of their type', { search: 'Im' }, (job) => job.jobType === 'import'],
    ['the beginning of the value of a label', { search: 'berlin' }, () => true],
    ['the whole of it', { search: 'Berlin 1' }, berlin],
    [
      'an id in their metadata',
      { search: 'from_7' },
      ({ metadata }) => String(metadata.import_job_id).startsWith('from_7'),
    ],
    [
      'the beginning of it, their type and a label',
      { search: 'FROM_', jobType: 'import', labels: [['Shop', 'Berlin 1']] },
      (job) => berlin(job) && job.jobType === 'import',
    ],
    ['being late', { late: true }, isLate],
    [
      'being late, in two statuses',
      { late: true, statuses: ['failed', 'pending'] },
      (job) => isLate(job) && ['failed', 'pending'].includes(job.status),
    ],
    [
      'being late and stalled, their type and who started them',
      { late: true, stalled: true, jobType: 'import', triggeredBy: 'nightly' },
      (job) =>
        isLate(job) && job.stalledAt !== null && job.jobType === 'import' && job.triggeredBy === 'nightly',
    ],
    [
      'being late, and a label',
      { late: true, labels: [['Shop', 'Berlin 0']] },
      (job) => isLate(job) && !berlin(job),
    ],
    ['their own id', { search: `job_${'7'.padStart(32, '0')}` }, (job) => job.jobId.endsWith('0007')],
  ]

  test.each(cases)('%s', async (_, narrowing, isWanted) => {
    const filter = { ...ANY, ...narrowing }
    const wanted = idsOf(all.filter(isWanted))
    expect(wanted).not.toEqual([])
    for (const limit of [7, 300]) {
      expect(idsOf(await walk(organizationId, filter, 'newest', limit))).toEqual(wanted)
      expect(idsOf(await walk(organizationId, filter, 'oldest', limit))).toEqual(wanted.toReversed())
    }
    expect(await countJobs(store, organizationId, filter)).toEqual({ total: wanted.length, isExact: true })
  })

  test.each([
    ['the end of an id', { search: '00007' }],
    ['the name of a label', { search: 'plan' }],
    [
      'one label of two',
      {
        labels: [
          ['plan', 'gold'],
          ['plan', 'silver'],
        ],
      },
    ],
    ['the beginning of a label', { labels: [['plan', 'gol']] }],
  ] satisfies [string, Partial<JobFilter>][])('but not by %s', async (_, narrowing) => {
    const filter = { ...ANY, ...narrowing }
    expect(await walk(organizationId, filter, 'newest', 10)).toEqual([])
    expect(await countJobs(store, organizationId, filter)).toEqual({ total: 0, isExact: true })
  })

  test('a list without a search runs in either order, too', async () => {
    for (const filter of [ANY, { statuses: ['failed' as const] }, { ...ANY, stalled: true as const }]) {
      const newest = idsOf(await walk(organizationId, filter, 'newest', 40))
      expect(idsOf(await walk(organizationId, filter, 'oldest', 40))).toEqual(newest.toReversed())
      expect(await countJobs(store, organizationId, filter)).toEqual({ total: newest.length, isExact: true })
    }
  })
})

test('a search that begins more than it looks up says so, and shows the newest ids', async () => {
  const { organizationId } = aJobKey()
  await addJobs(organizationId, MAX_SEARCHED_TERMS + 5)
  const filter = { ...ANY, search: 'job_' }
  const page = await listJobs(store, organizationId, { ...aPage, filter })
  expect(page).toMatchObject({ isComplete: false, hasMore: false })
  expect(page.jobs).toHaveLength(MAX_SEARCHED_TERMS)
  const newest = await listJobs(store, organizationId, { ...aPage, limit: MAX_SEARCHED_TERMS })
  expect(idsOf(page.jobs)).toEqual(idsOf(newest.jobs))
  expect(await countJobs(store, organizationId, filter)).toEqual({
    total: MAX_SEARCHED_TERMS,
    isExact: false,
  })
})

test('every filter at once stays within what one statement may bind', async () => {
  const filter: JobFilter = {
    statuses: [...JOB_STATUSES],
    jobType: 'import',
    triggeredBy: 'ann',
    createdAfter: START,
    createdBefore: START + 1_000_000,
    stalled: true,
    late: true,
    labels: Array.from({ length: MAX_LABELS }, (_, n) => [`n${n}`, 'v']),
    search: 'a',
  }
  const { organizationId } = aJobKey()
  const after = { createdAt: START + 500_000, jobId: 'job_1' }
  for (const sort of SORTS) {
    const page = await listJobs(store, organizationId, { ...aPage, filter, sort, after })
    expect(page).toEqual({ jobs: [], hasMore: false, isComplete: true })
  }
  expect(await countJobs(store, organizationId, filter)).toEqual({ total: 0, isExact: true })
  const { queries } = await queriesOf(organizationId, { filter, after })
  for (const { params } of queries) expect(params.length).toBeLessThanOrEqual(100)
})

test('a job is found by its links as its reports change them, and no longer once it is deleted', async () => {
  const key = await createdJob({
    ...aNewJob,
    labels: { shop: 'Z\u00fcrich' },
    metadata: { import_job_id: 'job_A', n_job_id: 7 },
  })
  const found = async (search: string) =>
    idsOf((await listJobs(store, key.organizationId, { ...aPage, filter: { ...ANY, search } })).jobs)
  expect(await found('z\u00fc')).toEqual([key.jobId])
  expect(await found('job_a')).toEqual([key.jobId])
  await reported(key, { metadataPatch: { import_job_id: 'job_B', feed_job_id: 'feed-1' }, markStarted: true })
  expect([await found('job_A'), await found('job_B'), await found('FEED')]).toEqual([
    [],
    [key.jobId],
    [key.jobId],
  ])
  const { job } = await reported(key, { metadataPatch: { feed_job_id: null } })
  await untilRecorded(key, { revision: job.revision })
  expect([await found('FEED'), await found('job_b')]).toEqual([[], [key.jobId]])
  await env.DB.prepare('delete from jobs where job_id = ?').bind(key.jobId).run()
  const left = await env.DB.prepare('select * from job_terms where job_id = ?').bind(key.jobId).all()
  expect(left.results).toEqual([])
})

describe('A search costs the same however many jobs there are', () => {
  const few = aJobKey().organizationId
  const many = aJobKey().organizationId

  beforeAll(async () => {
    // Both have more jobs of each term than a page looks at.
    await addJobs(few, 12 * PERIOD)
    await addJobs(many, 12 * PERIOD)
    for (let n = 1; n <= 4; n++) await addJobs(many, 12 * PERIOD, { first: n * 12 * PERIOD })
  }, 60_000)

  const filters: Partial<JobFilter>[] = [
    { labels: [['Shop', 'Berlin 1']] },
    {
      labels: [
        ['Shop', 'Berlin 1'],
        ['plan', 'gold'],
      ],
    },
    { labels: [['plan', 'gold']], statuses: ['failed'], triggeredBy: 'nobody' },
    { search: 'imp' },
    { late: true },
    { late: true, statuses: ['failed'] },
    { late: true, jobType: 'import', triggeredBy: 'nobody' },
    { search: 'b', labels: [['plan', 'silver']] },
    { search: 'from_1', statuses: ['failed'] },
    { search: 'job_00000000000000000000000000000' },
  ]

  test.each(filters)('%j', async (narrowing) => {
    const cost = async (organizationId: string) => {
      const { again, found } = await queriesOf(organizationId, {
        filter: { ...ANY, ...narrowing },
        limit: 20,
      })
      const results = await env.DB.batch(again())
      return { found, rows: results.reduce((sum, { meta }) => sum + meta.rows_read, 0) }
    }
    const [ofFew, ofMany] = [await cost(few), await cost(many)]
    expect(ofMany).toEqual(ofFew)
    expect(ofMany.rows).toBeLessThan(20 * MAX_SEARCHED_JOBS)
  })

  test.each(filters)('%j: every table is searched by an index', async (narrowing) => {
    const { again } = await queriesOf(many, { filter: { ...ANY, ...narrowing }, limit: 20 })
    const plans = await env.DB.batch<{ detail: string }>(again('explain query plan '))
    const steps = plans.flatMap(({ results }) => results.map(({ detail }) => detail))
    const scans = steps.filter((detail) => /^SCAN (?:jobs|job_terms)\b/.test(detail))
    expect(scans).toEqual([])
    const searches = steps.filter((detail) => /^SEARCH (?:jobs|job_terms)\b/.test(detail))
    for (const search of searches)
      expect(search).toMatch(/\((?:organization_id=\? AND (?:job_id|term|status)[=<>])/)
  })

  test('a count ends at its bound', async () => {
    const organizationId = many
    const { total } = await countJobs(store, organizationId, ANY)
    expect(total).toBe(Math.min(60 * PERIOD, MAX_COUNTED))
    expect(await countJobs(store, organizationId, { ...ANY, labels: [['plan', 'gold']] })).toEqual({
      total: MAX_COUNTED,
      isExact: false,
    })
  })
})
