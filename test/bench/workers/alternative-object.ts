/** An alternative with an object for each job that keeps nothing: each report reads and writes D1. */
import { DurableObject } from 'cloudflare:workers'
import { applyPlainReport, type PlainJob, type PlainReport, presentPlainJob } from './plain-job.ts'
import { READ_JOB, UPDATE_JOB, updateValues } from './plain-table.ts'
import { reportApp } from './report-app.ts'

interface Env {
  DB: D1Database
  OBJECTS: DurableObjectNamespace<JobObject>
}

/** Reports overlap while they await D1, so an update may be lost. Queueing them would prevent that, but be slower. */
export class JobObject extends DurableObject<Env> {
  async report(jobId: string, report: PlainReport): Promise<object> {
    const found = await this.env.DB.prepare(READ_JOB).bind(jobId).first<PlainJob>()
    if (found === null) throw new Error(`There is no ${jobId}`)
    const job = applyPlainReport(found, report, Date.now())
    await this.env.DB.prepare(UPDATE_JOB)
      .bind(...updateValues(job))
      .run()
    return presentPlainJob(job)
  }
}

export default reportApp<Env>({
  report: (env, jobId, report) => env.OBJECTS.getByName(jobId).report(jobId, report),
})
