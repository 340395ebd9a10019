import { FaultError } from '../fault-error.ts'
import { Probe } from '../probe.ts'
import { integerBetween } from '../random.ts'
import type { Run } from '../run.ts'

const MINUTE = 60_000
const MINUTES = [2, 10] as const

/** Moves the clock on or back by minutes, and sees it in a job that is started then. */
export async function jumpClock(run: Run, direction: 'on' | 'back'): Promise<void> {
  const { clock, injected, random } = run
  const by = integerBetween(random, ...MINUTES) * MINUTE
  await clock.move(direction === 'on' ? by : -by)
  const since = Date.now()
  const probe = new Probe(run)
  const { startedAt } = await probe.report(await probe.create(), 'started')
  if (startedAt === null || !clock.hasShown(Date.parse(startedAt), since)) {
    throw new FaultError(`The clock is off by ${clock.offset} ms, and yet a job is started at ${startedAt}`)
  }
  if (direction === 'on') injected.clockMovedOn++
  else injected.clockSetBack++
}
