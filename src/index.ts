import { app } from './app.ts'
import { deleteExpiredJobs } from './delete-expired-jobs.ts'
import type { Env } from './env.ts'
import { dashboard } from './routes/dashboard.ts'

export { JobObject } from './job-object/job-object.ts'

// Here and not in app.ts: Node, which runs that for tests, does not read scripts as text.
app.route('/', dashboard)

export default {
  fetch: app.fetch,
  scheduled: ({ scheduledTime }, env) => deleteExpiredJobs(env, scheduledTime),
} satisfies ExportedHandler<Env>
