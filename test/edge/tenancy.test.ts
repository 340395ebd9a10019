import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { operations } from '../../src/openapi/operations.ts'
import { call, freshOrganization, issueKey, type Reply, startEdge } from './harness.ts'

/**
 * How the suite calls each route, and what it must tell of another organisation's jobs. A unit test holds `operations`
 * against the routes of the app; here, an operation without a row fails the suite.
 */
type Row =
  /** About one job: it answers a stranger just what it answers about an id that was never given. */
  | { about: 'job'; body?: object }
  /** About an organisation: it answers a stranger just what it answers about one that does not exist. */
  | { about: 'organization'; body?: object }
  /** About neither: it answers everyone the same. */
  | { about: 'nobody' }

const rows: Record<string, Row> = {
  'POST /api/jobs/': { about: 'organization', body: { job_type: 'import', total_items: 3 } },
  'POST /api/jobs/{job_id}/progress': {
    about: 'job',
    body: { mark_failed: 'by a stranger', metadata_patch: { stolen: true } },
  },
  'GET /api/jobs/{job_id}': { about: 'job' },
  'GET /api/jobs/{job_id}/status': { about: 'job' },
  'GET /api/jobs/{job_id}/errors': { about: 'job' },
  'GET /api/jobs/{job_id}/warnings': { about: 'job' },
  'GET /healthz': { about: 'nobody' },
  'GET /openapi.json': { about: 'nobody' },
}

const routes = operations.map(({ method: lower, path }) => {
  const method = lower.toUpperCase()
  const name = `${method} ${path}`
  return { name, method, path, row: rows[name] }
})
const routesAbout = (about: Row['about']) => routes.filter(({ row }) => row?.about === about)

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

/** All that a reply tells: its status, its headers but for the date, its body byte by byte. */
function told({ status, headers, text }: Reply) {
  return { status, headers: [...headers].filter(([name]) => name !== 'date').toSorted(), text }
}

/** The reply of a route, about this job where it is about one. */
async function ask({ method, path, row }: (typeof routes)[number], jobId: string, reach: Reach) {
  const body = row && 'body' in row ? row.body : undefined
  const headers: Record<string, string> =
    reach.organization === null ? {} : { 'X-Organization-ID': reach.organization }
  return await call(edge, reach.key, method, path.replace('{job_id}', jobId), body, headers)
}

/** What the victim sees of its own jobs; a running job's duration goes on by itself. */
async function seenByItsOwner({ key, jobs }: Organizations) {
  const seen = await Promise.all(jobs.map((id) => call(edge, key, 'GET', `/api/jobs/${id}`)))
  return seen.map(({ status, body }) => ({ status, job: { ...body, duration_seconds: null } }))
}

test('Every route has its row in this suite, and the edge has no other', async () => {
  expect(Object.keys(rows).toSorted()).toEqual(routes.map(({ name }) => name).toSorted())
  const { body } = await call(edge, null, 'GET', '/openapi.json')
  const served = Object.entries<object>(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(served.toSorted()).toEqual(Object.keys(rows).toSorted())
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
    expect((await ask(route, jobs[0] ?? '', { key, organization: victim })).status).toBe(200)
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
    const { key, stranger, strangersKey } = await twoOrganizations()
    const { status, body } = await ask(route, '', { key: strangersKey, organization: stranger })
    expect(status).toBe(200)
    const path = `/api/jobs/${body.job_id}`
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
