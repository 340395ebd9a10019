/** The upper floors: Hono, zod, and a call to an object. `OBJECTS` is bound to one of the classes. */
import { DurableObject } from 'cloudflare:workers'
import { applyPlainReport, newPlainJob, type PlainReport, presentPlainJob } from './plain-job.ts'
import { reportApp } from './report-app.ts'

/** Answers from memory. */
export class CallObject extends DurableObject {
  protected job = newPlainJob('job')

  report(report: PlainReport): object | Promise<object> {
    this.job = applyPlainReport(this.job, report, Date.now())
    return presentPlainJob(this.job)
  }

  read(): object {
    return presentPlainJob(this.job)
  }
}

/** Writes one value for each report. The runtime holds the reply back until the value is on disk. */
export class WriteObject extends CallObject {
  override report(report: PlainReport): object | Promise<object> {
    const reply = super.report(report)
    this.ctx.storage.kv.put('job', this.job)
    return reply
  }
}

/** Writes one value for all the reports that arrived during the previous write. */
export class GroupedObject extends CallObject {
  #waiting: (() => void)[] = []
  #isBusy = false

  override async report(report: PlainReport): Promise<object> {
    const reply = await super.report(report)
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      if (!this.#isBusy) this.#write()
    })
    return reply
  }

  #write(): void {
    const group = this.#waiting
    this.#waiting = []
    this.#isBusy = true
    this.ctx.storage.kv.put('job', this.job)
    for (const resolve of group) resolve()
    this.ctx.storage.sync().then(() => {
      this.#isBusy = false
      if (this.#waiting.length > 0) this.#write()
    })
  }
}

interface Env {
  OBJECTS: DurableObjectNamespace<CallObject>
}

export default reportApp<Env>({
  report: (env, jobId, report) => env.OBJECTS.getByName(jobId).report(report),
  read: (env, jobId) => env.OBJECTS.getByName(jobId).read(),
})
