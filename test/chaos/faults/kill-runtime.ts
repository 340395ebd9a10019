import type { Run } from '../run.ts'
import { until } from '../until.ts'
import { isAlive } from './is-alive.ts'

/**
 * SIGKILL to the runtime: the edge, all objects and D1 are this one process, and it has no children. With it goes
 * whatever they had in memory.
 */
export async function killRuntime(run: Run): Promise<void> {
  // Between two answers there may be a moment without a request; a kill then would be no fault.
  await until('requests are under way', 5_000, () => run.stage.inFlight > 0)
  await killIdleRuntime(run)
  run.injected.kills++
}

/** The same, whether or not there are requests under way; it does not count. */
export async function killIdleRuntime({ stage, clock }: Run): Promise<void> {
  const pid = stage.edge.runtimePid()
  clock.noteRestart()
  process.kill(pid, 'SIGKILL')
  await until(`process ${pid} is gone`, 5_000, () => !isAlive(pid))
  await until('another runtime is started', 15_000, () => stage.edge.runtimePid() !== pid)
  await stage.answers()
}
