import { setTimeout as wait } from 'node:timers/promises'
import type { Child } from './start-child.ts'

/** Asks the child to end with SIGTERM and, when it has not after `graceMs`, ends it with SIGKILL. */
export async function endChild(child: Child, graceMs: number): Promise<void> {
  child.kill('SIGTERM')
  const isLate = await Promise.race([child.ended.then(() => false), wait(graceMs, true, { ref: false })])
  if (isLate) child.kill('SIGKILL')
}
