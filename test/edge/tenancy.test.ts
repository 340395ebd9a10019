import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { listEntityEntries } from '../../src/endpoints/list-entity-entries.ts'
import { ask as askEndpoint, type Case, casesAbout } from './endpoint-cases.ts'
import { aCaller, anError, NEW_JOB } from './fixtures.ts'
import { call, freshOrganization, type Reply, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge({ databases: 2 })
})
afterAll(() => edge?.dispose())

let made = 0

/** An organization with a live and a finished job, and a stranger: by turns in one database and in two. */
async function twoOrganizations() {
  const { org: victim, key, post } = await aCaller(edge, { database: made++ % 2 === 0 ? 'DB' : 'DB_2' })
  const { org: stranger, key: strangersKey } = await aCaller(edge)
  const jobs: string[] = []
  const error = { ...anError, ...listEntityEntries.pathExample, message: 'secret' }
  for (const report of [
    { mark_started: true, stage: 'secret' },
    { mark_failed: 'secret', error },
  ]) {
    const { body: job } = await post('/api/jobs/', { ...NEW_JOB, metadata: { secret: true } })
    const reply = await post(`/api/jobs/${job.job_id}/progress`, report)
    expect(reply.status).toBe(200)
    jobs.push(job.job_id)
  }
  return { victim, key, jobs, stranger, strangersKey }
}

type Organizations = Awaited<ReturnType<typeof twoOrganizations>>

/** A caller, and the organization that the header names; null: none. */
interface Reach {
  key: string | null
  organization: string | null
}

type ReachOf = (organizations: Organizations) => Reach

/** The ways to name an organization that is not the key's. */
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

/** All ways to reach for another organization's job. */
const reaches: Record<string, ReachOf> = {
  ...foreign,
  'another organization’s key': ({ strangersKey }) => ({ key: strangersKey, organization: null }),
  'another organization’s key, naming its own organization': ({ strangersKey, stranger }) => ({
    key: strangersKey,
    organization: stranger,
  }),
}

/** Headers that differ between any two replies. */
const VARYING = ['date', 'x-request-id']

/** Everything that a reply tells: its status, its headers, and its body byte by byte. */
function told({ status, headers, text }: Reply) {
  return { status, headers: [...headers].filter(([name]) => !VARYING.includes(name)).toSorted(), text }
}

/** Calls an endpoint about a job, or about an unknown one. */
function ask(each: Case, id: string | undefined, { key, organization }: Reach) {
  const headers: Record<string, string> = organization === null ? {} : { 'X-Organization-ID': organization }
  return askEndpoint(edge, each, { ...(id !== undefined && { id }), key, headers })
}

/** What the owner sees of the jobs, except the duration, which grows by itself. */
async function seenByItsOwner({ key, jobs }: Organizations) {
  const seen = await Promise.all(jobs.map((id) => call(edge, key, 'GET', `/api/jobs/${id}`)))
  return seen.map(({ status, body }) => ({ status, job: { ...body, duration_seconds: null } }))
}

describe.each(casesAbout('job'))('$name', (each) => {
  test.each(Object.entries(reaches))('with %s: replies as if the job did not exist', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const before = await seenByItsOwner(organizations)
    const unknown = await ask(each, undefined, { key: organizations.strangersKey, organization: null })
    expect(unknown).toMatchObject({ status: 404, body: { detail: 'Job not found' } })

    for (const id of organizations.jobs) {
      const reply = await ask(each, id, reachOf(organizations))
      expect(told(reply)).toEqual(told(unknown))
    }
    expect(await seenByItsOwner(organizations)).toEqual(before)
  })

  test('with its own key, naming its own organization: replies with the job', async () => {
    const { key, victim, jobs } = await twoOrganizations()
    const [live = '', finished = ''] = jobs
    const id = each.ofFinished ? finished : live
    expect((await ask(each, id, { key, organization: victim })).status).toBe(200)
  })
})

describe.each(casesAbout('organization'))('$name', (each) => {
  test.each(Object.entries(foreign))(
    'with %s: replies as if the organization did not exist',
    async (_, reachOf) => {
      const organizations = await twoOrganizations()
      const nowhere = await ask(each, undefined, {
        key: organizations.key,
        organization: freshOrganization(),
      })
      expect(nowhere).toMatchObject({ status: 404, body: { detail: 'Organization not found' } })
      const reply = await ask(each, undefined, reachOf(organizations))
      expect(told(reply)).toEqual(told(nowhere))
    },
  )

  test('with another organization’s key: affects only that organization', async () => {
    const organizations = await twoOrganizations()
    const { key, stranger, strangersKey } = organizations
    const before = await seenByItsOwner(organizations)
    const reply = await ask(each, undefined, { key: strangersKey, organization: stranger })
    expect(reply.status).toBe(200)
    expect(reply.text).not.toContain('secret')
    for (const id of organizations.jobs) expect(reply.text).not.toContain(id)
    expect(await seenByItsOwner(organizations)).toEqual(before)
    // Only that organization sees the new job.
    if (each.method === 'GET') return
    const path = `/api/jobs/${reply.body.job_id}`
    expect((await call(edge, strangersKey, 'GET', path)).status).toBe(200)
    expect((await call(edge, key, 'GET', path)).status).toBe(404)
  })
})

describe.each(casesAbout('nobody'))('$name', (each) => {
  test.each(Object.entries(reaches))('with %s: replies as to anyone', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const anyone = await ask(each, undefined, { key: null, organization: null })
    expect(anyone.status).toBe(200)
    expect(told(await ask(each, undefined, reachOf(organizations)))).toEqual(told(anyone))
  })
})
