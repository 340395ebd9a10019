import { connectWithSession } from '../connect-with-session.ts'
import { TENANTS } from '../edge-commands.ts'
import { Probe } from '../probe.ts'
import { integerBetween } from '../random.ts'
import type { Run } from '../run.ts'
import { holdD1 } from './hold-d1.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** The number of steps in which the clock advances, and the least and most minutes of each. */
const STEPS = 6
const STEP_MINUTES = [20, 60] as const
/** Beyond this, the clock is reset first: a retry a day after its report correctly counts as a new one. */
const TOO_FAR_AHEAD = 6 * HOUR

/**
 * Locks the second database while the clock advances by hours, and expects a report to be acknowledged after each step: with a
 * session and with a server API key in turn. `DB` stays up, because both are looked up there and work for only 15 minutes
 * without it.
 */
export async function holdD1ForHours(run: Run): Promise<void> {
  const { clock, injected, random } = run
  if (clock.offset > TOO_FAR_AHEAD) await clock.move(-clock.offset)
  const [, tenant] = TENANTS
  const withKey = new Probe(run, tenant)
  const withSession = new Probe(run, tenant, connectWithSession(run, tenant))
  const job = await withSession.create()
  let hours = 0
  await holdD1(run, tenant, 0, async () => {
    for (let step = 0; step < STEPS; step++) {
      const by = integerBetween(random, ...STEP_MINUTES) * MINUTE
      await clock.move(by)
      hours += by / HOUR
      await (step % 2 === 0 ? withSession : withKey).report(job)
    }
  })
  injected.longOutages++
  injected.outageHours += hours
}
