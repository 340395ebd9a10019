import { expect, test } from 'vitest'
import { abandonDue, abandonJob } from '../../src/jobs/abandon-job.ts'
import { aJob } from './fixtures.ts'

const START = 1_800_000_000_000
const DAY = 24 * 60 * 60 * 1_000

test.each(['pending', 'in_progress'] as const)(
  'a %s job fails after 30 days without a report, with a message that says so',
  (status) => {
    const job = aJob({ status, updatedAt: START, stalledAt: START + 5, callbackUrl: 'https://example.com' })
    expect(abandonJob(job, 30, START + 30 * DAY - 1)).toMatchObject({ job })
    expect(abandonJob(job, 30, START + 30 * DAY)).toMatchObject({
      ok: true,
      job: {
        status: 'failed',
        errorMessage: 'Abandoned: nothing was reported for 30 days',
        completedAt: START + 30 * DAY,
        nextDeliveryAt: START + 30 * DAY,
        stalledAt: null,
        revision: job.revision + 1,
      },
    })
  },
)

test('a setting of 0 abandons no job, and a finished job is never abandoned', () => {
  expect(abandonDue(aJob({ updatedAt: START }), 0)).toBeUndefined()
  const finished = aJob({ status: 'completed', updatedAt: START })
  expect(abandonDue(finished, 30)).toBeUndefined()
  expect(abandonJob(finished, 30, START + 99 * DAY)).toMatchObject({ job: finished })
})
