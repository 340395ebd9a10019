import { FaultError } from '../fault-error.ts'
import type { Run } from '../run.ts'
import { isAlive } from './is-alive.ts'

/** Closes the edge and reopens it on the same port and state. */
export async function restartEdge({ stage, clock, injected }: Run): Promise<void> {
  const pid = stage.edge.runtimePid()
  clock.noteRestart()
  await stage.reopen()
  if (isAlive(pid)) throw new FaultError(`Runtime ${pid} survived its edge`)
  injected.restarts++
}
