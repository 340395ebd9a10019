import type { Stage } from './job.ts'
import { MAX_STAGE_LENGTH, MAX_STAGES } from './limits.ts'

/** The timeline after a report of `stage`; the same array if the job is already in that stage. */
export function withStage(stages: Stage[], stage: string | undefined, now: number): Stage[] {
  if (stage === undefined) return stages
  const name = stage.slice(0, MAX_STAGE_LENGTH).toWellFormed()
  if (stages.at(-1)?.stage === name) return stages
  return [...stages, { stage: name, at: now }].slice(-MAX_STAGES)
}
