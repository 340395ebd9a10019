import { FaultError } from '../fault-error.ts'
import { Probe } from '../probe.ts'
import { integerBetween } from '../random.ts'
import type { Run } from '../run.ts'

const MINUTE = 60_000
const MINUTES = [2, 10] as const

/** Moves the clock forward or back by minutes, and checks the start time of a new job. */
export async function jumpClock(run: Run, direction: 'on' | 'back'): Promise<void> {
  const { clock, injected, random } = run
  const by = integerBetween(random, ...MINUTES) * MINUTE
  await clock.move(direction === 'on' ? by : -by)
  const since = Date.now()
  const probe = new Probe(run)
  const { startedAt } = await probe.report(await probe.create(), 'started')
  if (startedAt === null || !clock.hasShown(Date.parse(startedAt), since)) {
    throw new FaultError(`The clock is off by ${clock.offset} ms, but a job started at ${startedAt}`)
  }
  if (direction === 'on') injected.clockMovedOn++
  else injected.clockSetBack++
}
