import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, type Reply, startEdge } from './harness.ts'
import { type Route, routes, routesAbout } from './route-rows.ts'

const UNKNOWN_ID = `job_${'0'.repeat(32)}`

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

/** An organisation with a live and a finished job in it, and another that has nothing to do with it. */
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

/** Who calls, and the organisation that they name; null: none. */
interface Reach {
  key: string | null
  organization: string | null
}

type ReachOf = (organizations: Organizations) => Reach

/** The ways in which a caller may name an organisation that is not the key's. */
const foreign: Record<string, ReachOf> = {
  'another organisation’s key, naming the job’s organisation': ({ strangersKey, victim }) => ({
    key: strangersKey,
    organization: victim,
  }),
  'the job’s own key, naming another organisation': ({ key, stranger }) => ({ key, organization: stranger }),
  'the job’s own key, naming an empty organisation': ({ key }) => ({ key, organization: '' }),
  'the job’s own key, naming two organisations': ({ key, victim, stranger }) => ({
    key,
    organization: `${victim}, ${stranger}`,
  }),
}

/** All ways in which a caller may reach for a job that is not theirs. */
const reaches: Record<string, ReachOf> = {
  ...foreign,
  'another organisation’s key': ({ strangersKey }) => ({ key: strangersKey, organization: null }),
  'another organisation’s key, naming its own organisation': ({ strangersKey, stranger }) => ({
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

/** The reply of a route, about this job where it is about one. */
async function ask({ method, path, row }: Route, jobId: string, reach: Reach) {
  const body = 'body' in row ? row.body : undefined
  const headers: Record<string, string> =
    reach.organization === null ? {} : { 'X-Organization-ID': reach.organization }
  return await call(edge, reach.key, method, path.replace('{job_id}', jobId), body, headers)
}

/** What the victim sees of its own jobs; a running job's duration goes on by itself. */
async function seenByItsOwner({ key, jobs }: Organizations) {
  const seen = await Promise.all(jobs.map((id) => call(edge, key, 'GET', `/api/jobs/${id}`)))
  return seen.map(({ status, body }) => ({ status, job: { ...body, duration_seconds: null } }))
}

test('The edge describes the routes that this suite has rows for, and no others', async () => {
  const { body } = await call(edge, null, 'GET', '/openapi.json')
  const described = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const api = routes.filter(({ row }) => !('isPage' in row))
  expect(described.toSorted()).toEqual(api.map(({ name }) => name).toSorted())
})

describe.each(routesAbout('job'))('$name', (route) => {
  test.each(Object.entries(reaches))('with %s: as if the job were not there', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const before = await seenByItsOwner(organizations)
    const unknown = await ask(route, UNKNOWN_ID, { key: organizations.strangersKey, organization: null })
    expect(unknown).toMatchObject({ status: 404, body: { detail: 'Job not found' } })

    for (const id of organizations.jobs) {
      const reply = await ask(route, id, reachOf(organizations))
      expect(told(reply)).toEqual(told(unknown))
    }
    expect(await seenByItsOwner(organizations)).toEqual(before)
  })

  test('with its own key, naming its own organisation: it is there', async () => {
    const { key, victim, jobs } = await twoOrganizations()
    const [live = '', finished = ''] = jobs
    const id = 'of' in route.row ? finished : live
    expect((await ask(route, id, { key, organization: victim })).status).toBe(200)
  })
})

describe.each(routesAbout('organization'))('$name', (route) => {
  test.each(Object.entries(foreign))('with %s: as if there were no such organisation', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const nowhere = await ask(route, '', { key: organizations.key, organization: freshOrganization() })
    expect(nowhere).toMatchObject({ status: 404, body: { detail: 'Organization not found' } })
    const reply = await ask(route, '', reachOf(organizations))
    expect(told(reply)).toEqual(told(nowhere))
  })

  test('with another organisation’s key: it concerns that organisation alone', async () => {
    const organizations = await twoOrganizations()
    const { key, stranger, strangersKey } = organizations
    const before = await seenByItsOwner(organizations)
    const reply = await ask(route, '', { key: strangersKey, organization: stranger })
    expect(reply.status).toBe(200)
    expect(reply.text).not.toContain('secret')
    for (const id of organizations.jobs) expect(reply.text).not.toContain(id)
    expect(await seenByItsOwner(organizations)).toEqual(before)
    // What it made is there for that organisation alone.
    if (route.method === 'GET') return
    const path = `/api/jobs/${reply.body.job_id}`
    expect((await call(edge, strangersKey, 'GET', path)).status).toBe(200)
    expect((await call(edge, key, 'GET', path)).status).toBe(404)
  })
})

describe.each(routesAbout('nobody'))('$name', (route) => {
  test.each(Object.entries(reaches))('with %s: as to anyone', async (_, reachOf) => {
    const organizations = await twoOrganizations()
    const anyone = await ask(route, '', { key: null, organization: null })
    expect(anyone.status).toBe(200)
    expect(told(await ask(route, '', reachOf(organizations)))).toEqual(told(anyone))
  })
})
