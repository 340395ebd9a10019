import { setTimeout as pause } from 'node:timers/promises'
import { TENANTS, type Tenant } from './edge-commands.ts'
import type { Run } from './run.ts'

/** The pause between two requests of one reader, in ms. */
const PAUSE = 120
const DAY = 24 * 60 * 60 * 1_000

/** How many reads got 200, got 503, and got no answer because the edge was down. */
export interface SessionReads {
  ok: number
  unavailable: number
  unanswered: number
}

/** Has members of each tenant read with a session until the run is over, whether Stytch is up or not. */
export async function readWithSessions(run: Run, reads: SessionReads): Promise<void> {
  await Promise.all(TENANTS.map((tenant) => readAsTenant(run, reads, tenant)))
}

async function readAsTenant(run: Run, reads: SessionReads, tenant: Tenant): Promise<void> {
  const { stytch } = run.stage
  // Longer than the clock ever moves: an expired session would correctly get 401.
  const token = stytch.signIn({
    org: tenant.organization,
    actions: ['read'],
    expiresAt: Date.now() + 30 * DAY,
  })
  const cookie = `stytch_session=${token}`
  await Promise.all([
    readOn(run, reads, tenant, () => cookie),
    readOn(run, reads, tenant, () => `${cookie}; stytch_session_jwt=${stytch.jwt(token)}`),
  ])
}

async function readOn(run: Run, reads: SessionReads, tenant: Tenant, cookie: () => string): Promise<void> {
  while (!run.isOver()) {
    await pause(PAUSE)
    const jobs = run.jobs.filter((job) => job.tenant === tenant)
    const job = jobs[Math.floor(run.random() * jobs.length)]
    const isList = job === undefined || run.random() < 0.3
    const path = isList ? '/api/jobs/?limit=5' : `/api/jobs/${job.jobId}`
    const reply = await readWithCookie(run, path, cookie())
    if (reply === undefined) reads.unanswered++
    else if (reply.status === 503) reads.unavailable++
    else if (
      reply.status === 200 &&
      (isList ? Array.isArray(reply.body.jobs) : reply.body.job_id === job.jobId)
    )
      reads.ok++
    else
      run.complaints.push(
        `a session's GET ${path}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 200)}`,
      )
  }
}

/** Sends a request like a browser's. Returns undefined if it is not answered. */
export async function readWithCookie(
  { stage }: Run,
  path: string,
  cookie: string,
): Promise<{ status: number; body: Record<string, unknown> } | undefined> {
  try {
    const headers = { cookie, 'sec-fetch-site': 'same-origin' }
    const response = await fetch(`${stage.url}${path}`, { headers, signal: AbortSignal.timeout(30_000) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  } catch {
    return undefined
  }
}
