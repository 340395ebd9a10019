import type { Stage } from './job.ts'

/** A worker that alternates between stages for days is shown with its newest ones. */
const MAX_STAGES = 50
/** Longer names are cut short here: the whole one is in the metadata. */
const MAX_LENGTH = 200

/** The timeline after a report of `stage`: the same array where the job is in that stage already. */
export function withStage(stages: Stage[], stage: string | undefined, now: number): Stage[] {
  if (stage === undefined) return stages
  const name = stage.slice(0, MAX_LENGTH).toWellFormed()
  if (stages.at(-1)?.stage === name) return stages
  return [...stages, { stage: name, at: now }].slice(-MAX_STAGES)
}
