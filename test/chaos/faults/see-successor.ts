import { FaultError } from '../fault-error.ts'
import type { Sight } from '../orders.ts'
import type { Stage } from '../stage.ts'

/** What an object looks like once it is back in memory. Throws if the instance that was to end is still there. */
export async function seeSuccessor(stage: Stage, jobId: string, dead: string): Promise<Sight> {
  const sight = await stage.order({ do: 'look', jobId })
  if (sight.instance === dead) throw new FaultError(`The object of ${jobId} was to end, and is there still`)
  return sight
}
