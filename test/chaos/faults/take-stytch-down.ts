import { TENANTS } from '../edge-commands.ts'
import { FaultError } from '../fault-error.ts'
import type { Run } from '../run.ts'
import { readWithCookie } from '../session-readers.ts'
import { until } from '../until.ts'

/** It never answers, it answers 500, it no longer accepts our secret. */
const WAYS = ['silent', 'broken', 'locked'] as const
const TIMEOUT_MS = 60_000
const DAY = 24 * 60 * 60 * 1_000

/**
 * Takes Stytch down in several ways. While it is down, sessions that are new to the edge must get 503. Once it is back
 * up, each must get its proper answer: the list, 403 or 401.
 */
export async function takeStytchDown(run: Run): Promise<void> {
  const { stage, injected } = run
  const { stytch } = stage
  const signIn = (actions: string[]) =>
    stytch.signIn({ org: TENANTS[0].organization, actions, expiresAt: Date.now() + 30 * DAY })
  const ended = signIn(['read'])
  const sessions = [
    { token: signIn(['read']), expected: 200 },
    { token: signIn(['cancel']), expected: 403 },
    { token: ended, expected: 401 },
  ]
  try {
    for (const way of WAYS) {
      const callsBefore = stytch.calls.length
      stytch.state = way
      stytch.signOut(ended)
      for (const { token } of sessions) await untilAnswered(run, token, 503)
      if (stytch.calls.length === callsBefore)
        throw new FaultError(`Nobody called Stytch while it was ${way}`)
    }
  } finally {
    stytch.state = 'up'
  }
  for (const { token, expected } of sessions) await untilAnswered(run, token, expected)
  injected.stytchOutages++
}

/** Reads with a session until the answer is as expected. Before that it may only get 503 or no answer. */
async function untilAnswered(run: Run, token: string, expected: number): Promise<void> {
  await until(`a session gets ${expected}`, TIMEOUT_MS, async () => {
    const reply = await readWithCookie(run, '/api/jobs/?limit=1', `stytch_session=${token}`)
    if (reply === undefined || reply.status === expected) return reply !== undefined
    if (reply.status !== 503) {
      run.complaints.push(`a session got ${reply.status} instead of ${expected}`)
    }
    return false
  })
}
