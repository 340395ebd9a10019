import { app } from './app.ts'
import type { Env } from './env.ts'

export { JobObject } from './job-object/job-object.ts'

export default { fetch: app.fetch } satisfies ExportedHandler<Env>
