import type { Run } from '../run.ts'
import { until } from '../until.ts'
import { isAlive } from './is-alive.ts'

/**
 * Sends SIGKILL to the runtime. The edge, all objects and D1 run in this one process, so everything they have in memory is lost.
 */
export async function killRuntime(run: Run): Promise<void> {
  // A kill between two requests would interrupt nothing.
  await until('requests are in flight', 5_000, () => run.stage.inFlight > 0)
  await killIdleRuntime(run)
  run.injected.kills++
}

/** Kills the runtime whether or not requests are in flight, and does not count it. */
export async function killIdleRuntime({ stage, clock }: Run): Promise<void> {
  const pid = stage.edge.runtimePid()
  clock.noteRestart()
  process.kill(pid, 'SIGKILL')
  await until(`process ${pid} is gone`, 5_000, () => !isAlive(pid))
  await until('another runtime has started', 15_000, () => stage.edge.runtimePid() !== pid)
  await stage.untilUp()
}
