import { setTimeout as pause } from 'node:timers/promises'
import { FaultError } from '../fault-error.ts'
import { ORGANIZATION } from '../orders.ts'
import { integerBetween } from '../random.ts'
import type { Run } from '../run.ts'
import { readWithCookie } from '../session-readers.ts'
import { until } from '../until.ts'

const WAYS = ['silent', 'broken', 'locked'] as const
const PATIENCE = 60_000
const DAY = 24 * 60 * 60 * 1_000

/**
 * Takes Stytch down for some seconds. Sessions that the edge has not seen before cannot be checked then, and are told so;
 * once Stytch is up again, each gets its right answer: the job, that it may not, or that it is none.
 */
export async function takeStytchDown(run: Run): Promise<void> {
  const { stage, random, injected } = run
  const { stytch } = stage
  const signIn = (actions: string[]) =>
    stytch.signIn({ org: ORGANIZATION, actions, expiresAt: Date.now() + 30 * DAY })
  const ended = signIn(['read'])
  const sessions = [
    { token: signIn(['read']), rightly: 200 },
    { token: signIn(['cancel']), rightly: 403 },
    { token: ended, rightly: 401 },
  ]
  const askedBefore = stytch.calls.length
  stytch.state = WAYS[integerBetween(random, 0, WAYS.length - 1)] ?? 'silent'
  try {
    stytch.signOut(ended)
    for (const { token } of sessions) await untilAnswered(run, token, 503)
    await pause(integerBetween(random, 500, 3_000))
    if (stytch.calls.length === askedBefore) throw new FaultError('Nobody asked Stytch while it was down')
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
