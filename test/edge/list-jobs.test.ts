import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, anError, type Body, NEW_JOB } from './fixtures.ts'
import { startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** A caller whose organization has no jobs. */
async function anOrganization() {
  const { org, get, post } = await aCaller(edge)
  const create = async (newJob: object = {}): Promise<Body> => {
    const reply = await post('/api/jobs/', { ...NEW_JOB, ...newJob })
    expect(reply.status).toBe(200)
    return reply.body
  }
  const list = (search = '', headers = {}) => get(`/api/jobs/${search}`, headers)
  return {
    org,
    create,
    list,
    report: async (job: Body, report: object): Promise<Body> => {
      const reply = await post(`/api/jobs/${job.job_id}/progress`, report)
      expect(reply.status).toBe(200)
      return reply.body
    },
    /** The IDs of the jobs on a page. */
    idsOf: async (search = ''): Promise<string[]> => {
      const reply = await list(search)
      expect({ search, status: reply.status }).toEqual({ search, status: 200 })
      return reply.body.jobs.map((job: Body) => job.job_id)
    },
  }
}

const idsOf = (jobs: Body[]): string[] => jobs.map(({ job_id }) => job_id)

describe('The list of jobs', () => {
  test('is empty at first', async () => {
    const { list } = await anOrganization()
    expect(await list()).toMatchObject({ status: 200, body: { jobs: [], next_cursor: null } })
  })

  test('has the newest job first', async () => {
    const { create, idsOf: listed } = await anOrganization()
    const jobs = [await create(), await create(), await create()]
    expect(await listed()).toEqual(idsOf(jobs).toReversed())
  })

  test('shows each job with its counts, but without its entries', async () => {
    const { create, report, list } = await anOrganization()
    const { errors, warnings, ...job } = await report(
      await create({ metadata: { a: [{ b: null }] }, triggered_by: 'ann' }),
      {
        mark_started: true,
        stage: 'uploading',
        processed_items: 4,
        errors: [anError, anError],
        warning: { ...anError, entity_key: 'sku-2' },
        mark_completed: true,
      },
    )
    expect({ errors: errors.length, warnings: warnings.length }).toEqual({ errors: 2, warnings: 1 })
    const { body } = await list()
    expect(body).toEqual({ jobs: [job], next_cursor: null })
    expect(body.jobs[0]).toMatchObject({ error_count: 2, warning_count: 1, failed_items: 1, warned_items: 1 })
  })

  test('shows a new status as soon as it is acknowledged, and the rest about a second later', async () => {
    const { create, report, idsOf: listed, list } = await anOrganization()
    const job = await create()
    expect(await listed('?status=pending')).toEqual([job.job_id])
    await report(job, { mark_started: true })
    expect(await listed('?status=pending')).toEqual([])
    expect(await listed('?status=in_progress')).toEqual([job.job_id])
    await report(job, { processed_items: 7 })
    await vi.waitFor(async () => expect((await list()).body.jobs[0].processed_items).toBe(7), {
      timeout: 5_000,
    })
    await report(job, { mark_failed: 'gone' })
    expect(await listed('?status=in_progress')).toEqual([])
    expect(await listed('?status=failed')).toEqual([job.job_id])
  })

  test('can be narrowed by one filter or several', async () => {
    const { create, report, idsOf: listed } = await anOrganization()
    const a = await create({ job_type: 'crawl', triggered_by: 'ann' })
    const b = await create({ job_type: 'import', triggered_by: 'ann' })
    // Created at a later millisecond, so that a time lies between.
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(b.created_at) + 1))
    const c = await create({ job_type: 'import', triggered_by: 'ben' })
    await report(b, { mark_started: true })
    await report(c, { mark_failed: 'gone' })
    const [A, B, C] = idsOf([a, b, c])
    const after = encodeURIComponent(b.created_at)
    for (const [search, ids] of [
      ['?status=pending', [A]],
      ['?status=failed&status=in_progress', [C, B]],
      ['?status=failed,in_progress,pending', [C, B, A]],
      ['?status=completed', []],
      ['?job_type=import', [C, B]],
      ['?job_type=nothing', []],
      ['?triggered_by=ann', [B, A]],
      ['?job_type=import&triggered_by=ann', [B]],
      ['?job_type=import&triggered_by=ann&status=pending', []],
      [`?created_after=${after}`, [C]],
      [`?created_before=${encodeURIComponent(c.created_at)}`, [B, A]],
      [
        `?created_after=${encodeURIComponent(a.created_at)}&created_before=${encodeURIComponent(c.created_at)}&triggered_by=ann`,
        a.created_at === b.created_at ? [] : [B],
      ],
      ['?created_after=2020-01-01&created_before=2020-01-02', []],
      ['?stalled=true', []],
      ['?stalled=false', [C, B, A]],
    ] as [string, string[]][]) {
      expect({ search, ids: await listed(search) }).toEqual({ search, ids })
    }
  })

  test('comes in pages that skip no job and repeat none while others are created', async () => {
    const { create, list } = await anOrganization()
    const jobs: Body[] = []
    for (let n = 0; n < 7; n++) jobs.push(await create())
    const found: string[] = []
    const sizes: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { status, body }: Body = await list(
        `?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      expect(status).toBe(200)
      found.push(...idsOf(body.jobs))
      sizes.push(body.jobs.length)
      cursor = body.next_cursor
      await create()
    }
    expect(found).toEqual(idsOf(jobs).toReversed())
    expect(sizes).toEqual([3, 3, 1])
  })

  test('has no next page if the last one is exactly full', async () => {
    const { create, list } = await anOrganization()
    await create()
    await create()
    const { body } = await list('?limit=2')
    expect({ count: body.jobs.length, next: body.next_cursor }).toEqual({ count: 2, next: null })
    expect((await list('?limit=1')).body.next_cursor).toEqual(expect.any(String))
  })

  test('has 50 jobs on a page by default, and 200 at most', { timeout: 30_000 }, async () => {
    const { create, list } = await anOrganization()
    for (let n = 0; n < 6; n++) await Promise.all(Array.from({ length: 10 }, () => create()))
    expect((await list()).body.jobs).toHaveLength(50)
    expect((await list('?limit=200')).body.jobs).toHaveLength(60)
    expect((await list('?limit=201')).status).toBe(422)
  })
})

describe('A list narrowed by status', () => {
  test('has no job that has left that status, even while jobs complete', async () => {
    const { create, report, list } = await anOrganization()
    const jobs = await Promise.all(Array.from({ length: 60 }, () => create()))
    await Promise.all(jobs.map((job) => report(job, { mark_started: true })))
    const listed: string[] = []
    const watch = async () => {
      const { status, body } = await list('?status=in_progress&limit=100')
      expect(status).toBe(200)
      listed.push(...body.jobs.map((job: Body) => job.status))
    }
    for (let done = 0; done < jobs.length; done += 5) {
      const completing = jobs.slice(done, done + 5).map((job) => report(job, { mark_completed: true }))
      await Promise.all([...completing, watch(), watch(), watch()])
    }
    // So many were still running even if each round's jobs completed before they were listed.
    expect(listed.length).toBeGreaterThanOrEqual(990)
    expect(listed.filter((status) => status !== 'in_progress')).toEqual([])
  })
})

describe('A page of heavy jobs', () => {
  const MOST_BYTES = 1_048_576

  /** Metadata of nearly the largest size, and an error message whose characters each take six bytes in JSON. */
  async function heavyJobs(count: number) {
    const organization = await anOrganization()
    const metadata = { blob: 'x'.repeat(65_000) }
    const jobs: Body[] = []
    for (let n = 0; n < count; n++) {
      const job = await organization.create({ metadata })
      jobs.push(await organization.report(job, { stage: 'reading', mark_failed: '\u0001'.repeat(16_384) }))
    }
    return { ...organization, ids: idsOf(jobs).toReversed() }
  }

  async function walk(list: (search: string) => Promise<Body>, search: string) {
    const pages: { ids: string[]; bytes: number }[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { status, text, body }: Body = await list(`?limit=200${search}${cursor && `&cursor=${cursor}`}`)
      expect(status).toBe(200)
      pages.push({ ids: idsOf(body.jobs), bytes: Buffer.byteLength(text) })
      cursor = body.next_cursor
    }
    return pages
  }

  test('takes at most a megabyte, and the next page goes on after its last job', async () => {
    const { list, ids } = await heavyJobs(16)
    const pages = await walk(list, '')
    expect(pages.flatMap((page) => page.ids)).toEqual(ids)
    expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThanOrEqual(MOST_BYTES)
    // Six such jobs fit on a page, seven do not.
    expect(pages.map((page) => page.ids.length)).toEqual([6, 6, 4])
  })

  test('has room for more jobs without their metadata', async () => {
    const { list, ids } = await heavyJobs(16)
    const pages = await walk(list, '&metadata=false')
    expect(pages.flatMap((page) => page.ids)).toEqual(ids)
    expect(Math.max(...pages.map(({ bytes }) => bytes))).toBeLessThanOrEqual(MOST_BYTES)
    expect(pages.map((page) => page.ids.length)).toEqual([10, 6])

    const { body: whole } = await list('?limit=1&metadata=true')
    const { body: light } = await list('?limit=1&metadata=false')
    const { metadata, ...others } = whole.jobs[0]
    expect(metadata.stage).toBe('reading')
    expect(light.jobs[0]).toEqual(others)
  })
})

describe('A list', () => {
  test('has no job of another organization, whatever the query', async () => {
    const [ours, theirs] = [await anOrganization(), await anOrganization()]
    const job = await theirs.create()
    await ours.create()
    const { body } = await theirs.list()
    for (const search of [
      '',
      '?status=pending',
      '?job_type=import',
      '?limit=200',
      '?created_after=2020-01-01',
    ]) {
      expect(await ours.idsOf(search)).not.toContain(job.job_id)
    }
    // A cursor names a place, not an organization.
    const cursor = `${Date.parse(body.jobs[0].created_at) + 1_000}.${job.job_id}`
    expect(await ours.idsOf(`?cursor=${cursor}`)).toHaveLength(1)
    const reply = await ours.list('', { 'X-Organization-ID': theirs.org })
    expect(reply).toMatchObject({ status: 404, body: { detail: 'Organization not found' } })
  })

  test('with an invalid query is refused with 422, which names everything that is wrong', async () => {
    const { list } = await anOrganization()
    const { status, body } = await list('?limit=0&status=done&created_after=soon&cursor=x&stalled=maybe')
    expect(status).toBe(422)
    const said = body.detail.map(({ type, loc, input }: Body) => [loc.join('.'), type, input])
    expect(said.toSorted()).toEqual([
      ['query.created_after', 'datetime_parsing', 'soon'],
      ['query.cursor', 'string_pattern_mismatch', 'x'],
      ['query.limit', 'greater_than_equal', '0'],
      ['query.stalled', 'bool_parsing', 'maybe'],
      ['query.status', 'enum', 'done'],
    ])
  })
})
