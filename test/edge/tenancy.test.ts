import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, type Reply, startEdge } from './harness.ts'
import { type Case, casesAbout } from './security-cases.ts'

const UNKNOWN_ID = `job_${'0'.repeat(32)}`

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** An organization with a live and a finished job in it, and another that has nothing to do with it. */
async function twoOrganizations() {
  const [victim, stranger] = [freshOrganization(), freshOrganization()]
  const { key } = await issueKey(edge, { org: victim })
  const { key: strangersKey } = await issueKey(edge, { org: stranger })
  const jobs: string[] = []
  for (const report of [{ mark_started: true, stage: 'secret' }, { mark_failed: 'secret' }]) {
    const order = { job_type: 'import', total_items: 3, metadata: { secret: true } }
    const { body: job } = await call(edge, key, 'POST', '/api/jobs/', order)
    const reply = await call(edge, key, 'POST', `/api/jobs/${job.job_id}/progress`, report)
    expect(reply.status).toBe(200)
    jobs.push(job.job_id)
  }
  return { victim, key, jobs, stranger, strangersKey }
}

type Organizations = Awaited<ReturnType<typeof twoOrganizations>>

/** Who calls, and the organization that they name; null: none. */
interface Reach {
  key: string | null
  organization: string | null
}

type ReachOf = (organizations: Organizations) => Reach

/** The ways in which a caller may name an organization that is not the key's. */
const foreign: Record<string, ReachOf> = {
  'another organization’s key, naming the job’s organization': ({ strangersKey, victim }) => ({
    key: strangersKey,
    organization: victim,
  }),
  'the job’s own key, naming another organization': ({ key, stranger }) => ({ key, organization: stranger }),
  'the job’s own key, naming an empty organization': ({ key }) => ({ key, organization: '' }),
  'the job’s own key, naming two organizations': ({ key, victim, stranger }) => ({
    key,
    organization: `${victim}, ${stranger}`,
  }),
}

/** All ways in which a caller may reach for a job that is not theirs. */
const reaches: Record<string, ReachOf> = {
  ...foreign,
  'another organization’s key': ({ strangersKey }) => ({ key: strangersKey, organization: null }),
  'another organization’s key, naming its own organization': ({ strangersKey, stranger }) => ({
    key: strangersKey,
    organization: stranger,
  }),
}

/** Headers that differ between any two replies. */
const OF_THE_MOMENT = ['date', 'x-request-id']

/** All that a reply tells: its status, its headers, its body byte by byte. */
function told({ status, headers, text }: Reply) {
  return { status, headers: [...headers].filter(([name]) => !OF_THE_MOMENT.includes(name)).toSorted(), text }
}

/** The reply of an endpoint, about this job where it is about one. */
async function ask({ method, path, body }: Case, jobId: string, reach: Reach) {
  const headers: Record<string, string> =
    reach.organization === null ? {} : { 'X-Organization-ID': reach.organization }
  return await call(edge, reach.key, method, path.replace('{job_id}', jobId), body, headers)
}

/** What the victim sees of its own jobs; a running job's duration goes on by itself. */
async function seenByItsOwner({ key, jobs }: Organizations) {
  const seen = await Promise.all(jobs.map((id) => call(edge, key, 'GET', `/api/jobs/${id}`)))
  return seen.map(({ status, body }) => ({ status, job: { ...body, duration_seconds: null } }))
}

describe.each(casesAbout('job'))('$name', (each) => {
  test.each(Object.entries(reaches))('with %s: as if the job were not there', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const before = await seenByItsOwner(organizations)
    const unknown = await ask(each, UNKNOWN_ID, { key: organizations.strangersKey, organization: null })
    expect(unknown).toMatchObject({ status: 404, body: { detail: 'Job not found' } })

    for (const id of organizations.jobs) {
      const reply = await ask(each, id, reachOf(organizations))
      expect(told(reply)).toEqual(told(unknown))
    }
    expect(await seenByItsOwner(organizations)).toEqual(before)
  })

  test('with its own key, naming its own organization: it is there', async () => {
    const { key, victim, jobs } = await twoOrganizations()
    const [live = '', finished = ''] = jobs
    const id = each.ofFinished ? finished : live
    expect((await ask(each, id, { key, organization: victim })).status).toBe(200)
  })
})

describe.each(casesAbout('organization'))('$name', (each) => {
  test.each(Object.entries(foreign))('with %s: as if there were no such organization', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const nowhere = await ask(each, '', { key: organizations.key, organization: freshOrganization() })
    expect(nowhere).toMatchObject({ status: 404, body: { detail: 'Organization not found' } })
    const reply = await ask(each, '', reachOf(organizations))
    expect(told(reply)).toEqual(told(nowhere))
  })

  test('with another organization’s key: it concerns that organization alone', async () => {
    const organizations = await twoOrganizations()
    const { key, stranger, strangersKey } = organizations
    const before = await seenByItsOwner(organizations)
    const reply = await ask(each, '', { key: strangersKey, organization: stranger })
    expect(reply.status).toBe(200)
    expect(reply.text).not.toContain('secret')
    for (const id of organizations.jobs) expect(reply.text).not.toContain(id)
    expect(await seenByItsOwner(organizations)).toEqual(before)
    // What it made is there for that organization alone.
    if (each.method === 'GET') return
    const path = `/api/jobs/${reply.body.job_id}`
    expect((await call(edge, strangersKey, 'GET', path)).status).toBe(200)
    expect((await call(edge, key, 'GET', path)).status).toBe(404)
  })
})

describe.each(casesAbout('nobody'))('$name', (each) => {
  test.each(Object.entries(reaches))('with %s: as to anyone', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const anyone = await ask(each, '', { key: null, organization: null })
    expect(anyone.status).toBe(200)
    expect(told(await ask(each, '', reachOf(organizations)))).toEqual(told(anyone))
  })
})
