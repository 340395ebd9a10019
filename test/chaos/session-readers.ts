import { setTimeout as pause } from 'node:timers/promises'
import { ORGANIZATION } from './edge-commands.ts'
import type { Run } from './run.ts'

/** The pause between two requests of one reader, in ms. */
const PAUSE = 60
const DAY = 24 * 60 * 60 * 1_000

/** How many reads got 200, got 503, and got no answer because the edge was down. */
export interface SessionReads {
  ok: number
  unavailable: number
  unanswered: number
}

/** Has members read with a session until the run is over, whether Stytch is up or not. */
export async function readWithSessions(run: Run, reads: SessionReads): Promise<void> {
  const { stytch } = run.stage
  // Longer than the clock ever moves: an expired session would correctly get 401.
  const token = stytch.signIn({ org: ORGANIZATION, actions: ['read'], expiresAt: Date.now() + 30 * DAY })
  const cookie = `stytch_session=${token}`
  await Promise.all([
    readOn(run, reads, () => cookie),
    readOn(run, reads, () => `${cookie}; stytch_session_jwt=${stytch.jwt(token)}`),
  ])
}

async function readOn(run: Run, reads: SessionReads, cookie: () => string): Promise<void> {
  while (!run.isOver()) {
    await pause(PAUSE)
    const job = run.jobs[Math.floor(run.random() * run.jobs.length)]
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
