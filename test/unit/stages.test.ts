import { expect, test } from 'vitest'
import type { Stage } from '../../src/jobs/job.ts'
import { presentSummary } from '../../src/jobs/present-job.ts'
import { withStage } from '../../src/jobs/stages.ts'
import { aJob, JobInMemory } from './fixtures.ts'

const START = 1_800_000_000_000

/** The timeline of a job that spent a second in each of these stages. */
function timelineOf(names: string[]): Stage[] {
  return names.reduce<Stage[]>((stages, name, second) => withStage(stages, name, second * 1_000), [])
}

test('a stage is in the timeline with the time at which it was first reported', () => {
  const memory = new JobInMemory(aJob({}))
  memory.report({ stage: 'downloading' }, START)
  memory.report({ stage: 'downloading', processedItems: 1 }, START + 1_000)
  memory.report({ message: 'half way' }, START + 2_000)
  memory.report({ stage: 'uploading', markCompleted: true }, START + 3_000)
  expect(presentSummary(memory.job, START + 9_000)).toMatchObject({
    metadata: { stage: 'uploading' },
    stages: [
      { stage: 'downloading', started_at: new Date(START).toISOString() },
      { stage: 'uploading', started_at: new Date(START + 3_000).toISOString() },
    ],
  })
})

test('a stage that the job returns to is listed again', () => {
  expect(timelineOf(['a', 'b', 'a']).map(({ stage }) => stage)).toEqual(['a', 'b', 'a'])
})

test('a report without a new stage leaves the timeline unchanged', () => {
  const stages = timelineOf(['a', 'b'])
  expect(withStage(stages, undefined, 9_000)).toBe(stages)
  expect(withStage(stages, 'b', 9_000)).toBe(stages)
})

test('only the newest 50 stages are kept', () => {
  const names = Array.from({ length: 70 }, (_, n) => `stage ${n}`)
  expect(timelineOf(names).map(({ stage }) => stage)).toEqual(names.slice(20))
})

test('a long name is cut, but never within a character; the metadata keeps all of it', () => {
  const name = `${'a'.repeat(199)}🚚 on its way`
  const memory = new JobInMemory(aJob({}))
  memory.report({ stage: name }, START)
  memory.report({ stage: name }, START + 1_000)
  const { stages, metadata } = presentSummary(memory.job, START)
  expect(stages).toHaveLength(1)
  expect(stages[0]?.stage.slice(0, 199)).toBe('a'.repeat(199))
  expect(stages[0]?.stage.isWellFormed()).toBe(true)
  expect(stages[0]?.stage.length).toBeLessThanOrEqual(200)
  expect(metadata.stage).toBe(name)
})
