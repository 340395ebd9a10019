import { FaultError } from '../fault-error.ts'
import { ORGANIZATION } from '../orders.ts'
import type { Run } from '../run.ts'
import { readWithCookie } from '../session-readers.ts'
import { until } from '../until.ts'

/** It takes calls and answers none, it answers 500, it no longer accepts our secret. */
const WAYS = ['silent', 'broken', 'locked'] as const
const PATIENCE = 60_000
const DAY = 24 * 60 * 60 * 1_000

/**
 * Takes Stytch down, in each of the ways in which it can be. Sessions that are new to the edge cannot be checked meanwhile,
 * and get 503; once Stytch is up again, each gets the answer that it should: the list, 403 or 401.
 */
export async function takeStytchDown(run: Run): Promise<void> {
  const { stage, injected } = run
  const { stytch } = stage
  const signIn = (actions: string[]) =>
    stytch.signIn({ org: ORGANIZATION, actions, expiresAt: Date.now() + 30 * DAY })
  const ended = signIn(['read'])
  const sessions = [
    { token: signIn(['read']), rightly: 200 },
    { token: signIn(['cancel']), rightly: 403 },
    { token: ended, rightly: 401 },
  ]
  try {
    for (const way of WAYS) {
      const askedBefore = stytch.calls.length
      stytch.state = way
      stytch.signOut(ended)
      for (const { token } of sessions) await untilAnswered(run, token, 503)
      if (stytch.calls.length === askedBefore) throw new FaultError(`Nobody asked Stytch while it was ${way}`)
    }
  } finally {
    stytch.state = 'up'
  }
  for (const { token, rightly } of sessions) await untilAnswered(run, token, rightly)
  injected.stytchOutages++
}

/** Reads with a session until it is answered as expected. Until then it may get 503, or no answer, and nothing else. */
async function untilAnswered(run: Run, token: string, expected: number): Promise<void> {
  await until(`a session is answered ${expected}`, PATIENCE, async () => {
    const reply = await readWithCookie(run, '/api/jobs/?limit=1', `stytch_session=${token}`)
    if (reply === undefined || reply.status === expected) return reply !== undefined
    if (reply.status !== 503) {
      run.complaints.push(`a session got ${reply.status}, where ${expected} would be right`)
    }
    return false
  })
}
