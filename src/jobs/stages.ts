import type { Stage } from './job.ts'
import { MAX_STAGE_NAME, MAX_STAGES } from './limits.ts'

/** The timeline after a report of `stage`: the same array where the job is in that stage already. */
export function withStage(stages: Stage[], stage: string | undefined, now: number): Stage[] {
  if (stage === undefined) return stages
  const name = stage.slice(0, MAX_STAGE_NAME).toWellFormed()
  if (stages.at(-1)?.stage === name) return stages
  return [...stages, { stage: name, at: now }].slice(-MAX_STAGES)
}
