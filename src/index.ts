import { app } from './app.ts'
import { deleteExpiredJobs } from './delete-expired-jobs.ts'
import type { Env } from './env.ts'
import { dashboard } from './serve-dashboard.ts'

export { JobObject } from './job-object/job-object.ts'

// Not in app.ts: tests run that file in Node, which cannot import scripts as text.
app.route('/', dashboard)

export default {
  fetch: app.fetch,
  scheduled: ({ scheduledTime }, env) => deleteExpiredJobs(env, scheduledTime),
} satisfies ExportedHandler<Env>
