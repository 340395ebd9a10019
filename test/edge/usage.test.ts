import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, entryBytes, freshOrganization, issueKey, type Reply, startEdge } from './harness.ts'

const JOB_BYTES = 2_048
const newJob = { job_type: 'import', total_items: 10 }

/** An edge with these settings, and what one organization can do there. */
function anEdge(bindings: Record<string, number>) {
  let edge: Edge
  beforeAll(async () => {
    edge = await startEdge({ bindings })
  })
  afterAll(() => edge?.dispose())
  return async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    return {
      create: (headers: Record<string, string> = {}) =>
        call(edge, key, 'POST', '/api/jobs/', newJob, headers),
      report: ({ body }: Reply, report: object) =>
        call(edge, key, 'POST', `/api/jobs/${body.job_id}/progress`, report),
      usage: async () => (await call(edge, key, 'GET', '/api/usage')).body,
    }
  }
}

describe('With as many unfinished jobs as it may have, an organization', () => {
  const anOrganization = anEdge({ MAX_LIVE_JOBS: 3 })

  /** An organization with three unfinished jobs; the last one was created by a request with a key. */
  async function aFullOrganization() {
    const organization = await anOrganization()
    const jobs = [await organization.create(), await organization.create()]
    const keyed = await organization.create({ 'Idempotency-Key': 'last' })
    for (const { status } of [...jobs, keyed]) expect(status).toBe(200)
    return { ...organization, jobs: [...jobs, keyed], keyed }
  }

  test('gets 429 for another, and can go on with those that it has', async () => {
    const { create, report, usage, jobs } = await aFullOrganization()
    const refused = await create()
    expect(refused).toMatchObject({
      status: 429,
      body: { detail: 'The organization already has 3 unfinished jobs' },
    })
    expect(refused.headers.get('Retry-After')).toBe('10')
    expect(await usage()).toMatchObject({ live_jobs: 3, live_jobs_limit: 3, jobs: 3 })
    for (const job of jobs) {
      expect(await report(job, { mark_completed: true })).toMatchObject({ status: 200 })
    }
    expect(await usage()).toMatchObject({ live_jobs: 0, jobs: 3 })
  })

  test('may create another within about a second after one has finished', async () => {
    const { create, report, jobs } = await aFullOrganization()
    expect((await create()).status).toBe(429)
    for (const job of jobs.slice(0, 1)) await report(job, { mark_failed: 'no' })
    await vi.waitFor(async () => expect((await create()).status).toBe(200), { timeout: 5_000 })
    expect((await create()).status).toBe(429)
  })

  test('gets the reply to a create that is repeated, and 429 for a new key', async () => {
    const { create, keyed } = await aFullOrganization()
    const repeated = await create({ 'Idempotency-Key': 'last' })
    expect(repeated).toMatchObject({ status: 200, text: keyed.text })
    expect(repeated.headers.get('Idempotency-Replayed')).toBe('true')
    expect((await create({ 'Idempotency-Key': 'new' })).status).toBe(429)
  })

  test('keeps no other organization from creating jobs', async () => {
    const { create } = await aFullOrganization()
    expect((await create()).status).toBe(429)
    expect((await (await anOrganization()).create()).status).toBe(200)
  })
})

describe('With as many bytes as it may have, an organization', () => {
  const MAX_BYTES = 5_000
  const anOrganization = anEdge({ MAX_BYTES_PER_ORGANIZATION: MAX_BYTES, MAX_ENTRY_BYTES_PER_JOB: 500 })
  const error = { entity_type: 'product', entity_key: 'ä', error_type: 'no_price', message: 'No price' }

  test('gets 403 for another job, and can report on and finish those that it has', async () => {
    const { create, report, usage } = await anOrganization()
    const [first, second] = [await create(), await create()]
    const reported = await report(first, { errors: Array.from({ length: 9 }, () => error) })
    expect(reported.status).toBe(200)
    const { errors, error_count, entry_bytes, entries_not_kept } = reported.body
    expect(entry_bytes).toBe(entryBytes(errors))
    expect(entry_bytes).toBeLessThanOrEqual(500)
    expect({ error_count, entries_not_kept }).toEqual({ error_count: 9, entries_not_kept: 9 - errors.length })

    const bytes = 2 * JOB_BYTES + entry_bytes
    await vi.waitFor(
      async () =>
        expect(await usage()).toEqual({
          live_jobs: 2,
          live_jobs_limit: 20_000,
          jobs: 2,
          entry_bytes,
          bytes,
          bytes_limit: MAX_BYTES,
        }),
      { timeout: 10_000 },
    )
    expect(await create()).toMatchObject({
      status: 403,
      body: { detail: 'The organization has used its 5000 bytes of storage' },
    })
    expect((await report(second, { errors: [error] })).body).toMatchObject({ entries_not_kept: 0 })
    for (const job of [first, second]) {
      const finished = await report(job, { error, mark_completed: true })
      expect(finished).toMatchObject({ status: 200, body: { status: 'partial_success' } })
    }
  })
})
