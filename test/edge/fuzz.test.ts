import { Agent, request } from 'node:http'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { checkReply } from './check-reply.ts'
import { aCaller } from './fixtures.ts'
import { type FuzzedRequest, requests } from './fuzz-requests.ts'
import { call, startEdge } from './harness.ts'

const REQUESTS = 5_000
/** How many jobs are tried at once, each with one request after another. */
const LANES = 4
const REQUESTS_A_JOB = 100
const REQUESTS_AFTER_THE_END = 8
/** A request without a reply after so many ms hangs. */
const PATIENCE = 10_000
/** The job is compared after so many refusals in a row. */
const REFUSALS_A_LOOK = 10

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

let edge: Edge
const agent = new Agent({ keepAlive: true, maxSockets: LANES })

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(async () => {
  agent.destroy()
  await edge?.dispose()
})

interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

test(`${REQUESTS} arbitrary requests get no 500, and a 4xx changes nothing`, async () => {
  console.log(`FUZZ_SEED=${seed}`)
  const { org: organization, key } = await aCaller(edge)
  const { key: strangersKey } = await aCaller(edge)
  const { key: bystandersKey } = await aCaller(edge)
  const bystandersJob = await createJob(bystandersKey)
  const bystander = await show(bystandersKey, bystandersJob)
  const around = { endpoints: await listEndpoints(), key, organization, strangersKey, bystandersJob }
  const all = fc.sample(requests(around), { seed, numRuns: REQUESTS })

  const tally: Tally = { statuses: new Map(), revisions: new Map([[bystandersJob, 1]]) }
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    const left = all.filter((_, index) => index % LANES === lane)
    while (left.length > 0) await tryOnOneJob(key, left, tally)
  })
  await Promise.all(lanes)

  expect(await show(bystandersKey, bystandersJob), 'a job of an organization that no request may see').toBe(
    bystander,
  )
  await expect.poll(() => readRevisions(), { timeout: 15_000 }).toEqual(tally.revisions)
  const statuses = [...tally.statuses].sort(([a], [b]) => a - b)
  console.log(statuses.map(([status, count]) => `${status}: ${count}`).join(', '))
  const changes = [...tally.revisions.values()].reduce((sum, revision) => sum + revision - 1, 0)
  console.log(`${tally.revisions.size} jobs, ${changes} reports`)
  expect(changes).toBeGreaterThan(150)
  // Requests that all fail the first check would prove nothing.
  for (const status of [200, 401, 404, 405, 409, 422]) {
    expect(tally.statuses.get(status) ?? 0, `replies of ${status}`).toBeGreaterThan(10)
  }
}, 180_000)

interface Tally {
  /** How many replies had each status. */
  statuses: Map<number, number>
  /** Every job according to the replies, with the number of its changes, creation included. */
  revisions: Map<string, number>
}

/**
 * Sends the next requests one after another and compares the job that they name: only requests whose reply says so may
 * change it. A few requests after the job finishes, another job takes its place.
 */
async function tryOnOneJob(key: string, left: FuzzedRequest[], tally: Tally): Promise<void> {
  const job = await createJob(key)
  tally.revisions.set(job, 1)
  let before = await show(key, job)
  let refused: string[] = []
  let tookFinalReport = false
  const compare = async () => {
    expect(await show(key, job), `the job after these, all refused:\n${refused.join('\n')}`).toBe(before)
    refused = []
  }
  for (let patience = REQUESTS_A_JOB; patience > 0; patience--) {
    const one = left.shift()
    if (one === undefined) break
    const answer = await send({ ...one, path: one.path.replace('{id}', job) })
    tally.statuses.set(answer.status, (tally.statuses.get(answer.status) ?? 0) + 1)
    expectReply(answer, one)
    if (answer.status >= 400) {
      refused.push(`${answer.status} ${describe(one)}`)
      if (refused.length >= REFUSALS_A_LOOK) await compare()
    } else if (one.method !== 'GET' && one.method !== 'HEAD') {
      const changed = (JSON.parse(answer.text) as { job_id: string }).job_id
      const isReplay = answer.headers['idempotency-replayed'] !== undefined
      // A finished job accepts its last mark again, and does not change. A canceled one accepts one report more.
      const isReport = one.path.includes('/progress') && !isReplay
      const isFinal = changed === job && isReport && isCanceled(before) && !tookFinalReport
      if (isFinal) tookFinalReport = true
      const isRepeat = changed === job && !isLive(before) && !isFinal
      if (!isReplay && !isRepeat) tally.revisions.set(changed, (tally.revisions.get(changed) ?? 0) + 1)
      const after = await show(key, job)
      if (isReplay || isRepeat || changed !== job)
        expect(after, `the job after ${describe(one)}`).toBe(before)
      if (isLive(before) && !isLive(after)) patience = REQUESTS_AFTER_THE_END
      before = after
      refused = []
    }
  }
  await compare()
}

function isLive(shown: string): boolean {
  return /"status":"(pending|in_progress)"/.test(shown)
}

function isCanceled(shown: string): boolean {
  return shown.includes('"status":"cancelled"')
}

/** Expects no 500, whatever was sent, and a refusal in the form that the API promises. */
function expectReply({ status, headers, text }: Reply, sent: FuzzedRequest): void {
  const told = `${status} ${describe(sent)}\n${text.slice(0, 300)}`
  expect(status, told).toBeLessThan(500)
  if (status < 400 || sent.method === 'HEAD') return
  expect(headers['content-type'], told).toMatch(/^application\/json/)
  const body = JSON.parse(text) as { detail: unknown }
  expect(Object.keys(body), told).toEqual(['detail'])
  if (status === 401) expect(headers['www-authenticate'], told).toBe('Bearer')
  if (status === 405) expect(headers.allow, told).toMatch(/^[A-Z, ]+$/)
  if (status === 422) expectProblems(body.detail, told)
  else expect(body.detail, told).toEqual(expect.stringMatching(/./))
}

function expectProblems(detail: unknown, told: string): void {
  expect(detail, told).not.toEqual([])
  for (const problem of detail as Record<string, unknown>[]) {
    const { ctx = {}, ...others } = problem
    expect(ctx, told).toEqual(expect.any(Object))
    expect(Object.keys(others).sort(), told).toEqual(['input', 'loc', 'msg', 'type'])
    expect([typeof problem.type, typeof problem.msg], told).toEqual(['string', 'string'])
    expect((problem.loc as unknown[]).map((part) => typeof part).join(), told).toMatch(
      /^string(,(string|number))*$/,
    )
  }
}

function describe({ method, path, headers, body }: FuzzedRequest): string {
  const bytes = body === null || typeof body === 'string' ? body : Buffer.from(body).toString('latin1')
  return `${method} ${path.slice(0, 200)} ${JSON.stringify({ headers, body: bytes }).slice(0, 600)}`
}

/** Sends through node:http, which leaves paths and headers as they are. */
function send({ method, path, headers, body }: FuzzedRequest): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { method, path, headers: withLength(headers, body), agent, timeout: PATIENCE }
    const sent = request(edge.url, options, (response) => {
      const { statusCode: status = 0, headers } = response
      // A stream of events may not end.
      if (headers['content-type']?.startsWith('text/event-stream')) {
        response.destroy()
        resolve({ status, headers, text: '' })
        return
      }
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        try {
          checkReply(method, path, { status, contentType: headers['content-type'] ?? null, text })
          resolve({ status, headers, text })
        } catch (error) {
          reject(error)
        }
      })
      response.on('error', reject)
    })
    const told = () => describe({ method, path, headers, body })
    sent.on('timeout', () => sent.destroy(new Error(`no reply within ${PATIENCE} ms`)))
    sent.on('error', (cause) => reject(new Error(`${cause.message}: ${told()}`, { cause })))
    sent.end(body ?? undefined)
  })
}

/** For some methods node:http sends a body without its length. */
function withLength(
  headers: FuzzedRequest['headers'],
  body: FuzzedRequest['body'],
): FuzzedRequest['headers'] {
  if (body === null || headers['Transfer-Encoding'] !== undefined) return headers
  return { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }
}

async function createJob(key: string): Promise<string> {
  const { status, body } = await call(edge, key, 'POST', '/api/jobs', { job_type: 'fuzz', total_items: 10 })
  expect(status).toBe(200)
  return body.job_id
}

/** The job as a caller sees it, except for what changes by itself. */
async function show(key: string, job: string): Promise<string> {
  const { status, text } = await call(edge, key, 'GET', `/api/jobs/${job}`)
  expect(status).toBe(200)
  return text.replace(/"duration_seconds":[\d.]+/, '"duration_seconds":0')
}

async function listEndpoints(): Promise<{ method: string; path: string }[]> {
  const { body } = await call(edge, null, 'GET', '/openapi.json')
  return Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  )
}

/** Every job in D1, with the number of its changes. */
async function readRevisions(): Promise<Map<string, number>> {
  const { results } = await (await edge.d1())
    .prepare('select job_id, revision from jobs')
    .all<{ job_id: string; revision: number }>()
  return new Map(results.map(({ job_id, revision }) => [job_id, revision]))
}
