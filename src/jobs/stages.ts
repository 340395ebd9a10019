import type { Stage } from './job.ts'
import { MAX_STAGE_LENGTH, MAX_STAGES } from './limits.ts'

/**
 * The timeline after a report of `stage`; the same array if the job is already in that stage. A stage never begins
 * before the previous one, even if the clock was set back in between.
 */
export function withStage(stages: Stage[], stage: string | undefined, now: number): Stage[] {
  if (stage === undefined) return stages
  const name = stage.slice(0, MAX_STAGE_LENGTH).toWellFormed()
  const previous = stages.at(-1)
  if (previous?.stage === name) return stages
  return [...stages, { stage: name, at: Math.max(now, previous?.at ?? now) }].slice(-MAX_STAGES)
}
