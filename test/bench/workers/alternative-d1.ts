/** An alternative without an object: each report reads the job in D1 and updates it there. */
import { applyPlainReport, type PlainJob, presentPlainJob } from './plain-job.ts'
import { READ_JOB, UPDATE_JOB, updateValues } from './plain-table.ts'
import { reportApp } from './report-app.ts'

interface Env {
  DB: D1Database
}

export default reportApp<Env>({
  async report({ DB }, jobId, report) {
    const found = await DB.prepare(READ_JOB).bind(jobId).first<PlainJob>()
    if (found === null) throw new Error(`There is no ${jobId}`)
    const job = applyPlainReport(found, report, Date.now())
    await DB.prepare(UPDATE_JOB)
      .bind(...updateValues(job))
      .run()
    return presentPlainJob(job)
  },
})
