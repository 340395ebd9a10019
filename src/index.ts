import { app } from './app.ts'
import type { Env } from './env.ts'
import { deleteWhatIsOver } from './retention.ts'

export { JobObject } from './job-object/job-object.ts'

export default {
  fetch: app.fetch,
  scheduled: ({ scheduledTime }, env) => deleteWhatIsOver(env, scheduledTime),
} satisfies ExportedHandler<Env>
