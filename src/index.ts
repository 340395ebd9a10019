import { app } from './app.ts'
import { deleteExpiredJobs } from './delete-expired-jobs.ts'
import type { Env } from './env.ts'
import { dashboard } from './serve-dashboard.ts'
import { docs } from './serve-docs.ts'
import { wakeAbandonedJobs } from './wake-abandoned-jobs.ts'

export { JobObject } from './job-object/job-object.ts'
export { RecorderObject } from './recorder/recorder-object.ts'

// Not in app.ts: tests run that file in Node, which cannot import scripts as text.
app.route('/', dashboard)
app.route('/', docs)

export default {
  fetch: app.fetch,
  async scheduled({ scheduledTime }, env) {
    // Not `all`: if one fails, the other must still finish.
    const runs = await Promise.allSettled([
      deleteExpiredJobs(env, scheduledTime),
      wakeAbandonedJobs(env, scheduledTime),
    ])
    for (const run of runs) if (run.status === 'rejected') throw run.reason
  },
} satisfies ExportedHandler<Env>
