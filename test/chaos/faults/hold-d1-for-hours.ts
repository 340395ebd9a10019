import { connectWithSession } from '../connect-with-session.ts'
import { Probe } from '../probe.ts'
import { integerBetween } from '../random.ts'
import type { Run } from '../run.ts'
import { holdD1 } from './hold-d1.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** In how many steps the clock moves on, and by how many minutes in each. */
const STEPS = 6
const STEP_MINUTES = [20, 60] as const
/** From here on, the clock is put right first: a retry a day after its report is rightly taken for a new one. */
const TOO_FAR_AHEAD = 6 * HOUR

/**
 * Holds D1 while the clock moves on by hours, with a report acknowledged after each step. Those reports are sent with a
 * session: a server API key outlives D1 by a quarter of an hour only.
 */
export async function holdD1ForHours(run: Run): Promise<void> {
  const { clock, injected, random } = run
  if (clock.offset > TOO_FAR_AHEAD) await clock.move(-clock.offset)
  const probe = new Probe(run, connectWithSession(run))
  const job = await probe.create()
  let hours = 0
  await holdD1(run, 0, async () => {
    for (let step = 0; step < STEPS; step++) {
      const by = integerBetween(random, ...STEP_MINUTES) * MINUTE
      await clock.move(by)
      hours += by / HOUR
      await probe.report(job)
    }
  })
  injected.longOutages++
  injected.outageHours += hours
}
