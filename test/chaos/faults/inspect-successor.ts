import type { ObjectState } from '../edge-commands.ts'
import { FaultError } from '../fault-error.ts'
import type { LedgerJob } from '../ledger.ts'
import type { Stage } from '../stage.ts'

/** Loads an object again and returns its state. Throws a FaultError if the instance `dead` is still there. */
export async function inspectSuccessor(
  stage: Stage,
  { tenant, jobId }: LedgerJob,
  dead: string,
): Promise<ObjectState> {
  const state = await stage.command({ do: 'inspect', tenant, jobId })
  if (state.instance === dead)
    throw new FaultError(`The object of ${jobId} should have ended but is still there`)
  return state
}
