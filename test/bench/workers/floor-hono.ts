/** The second floor: Hono, with the body validated by zod. */
import { applyPlainReport, newPlainJob, presentPlainJob } from './plain-job.ts'
import { reportApp } from './report-app.ts'

export default reportApp({
  report: (_env, jobId, report) => presentPlainJob(applyPlainReport(newPlainJob(jobId), report, Date.now())),
})
