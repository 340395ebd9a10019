/** An alternative without Workers: Node, Hono and BullMQ. Its arguments are the port of a Redis and how many jobs to add. */
import { Job, Queue } from 'bullmq'
import { applyPlainReport, newPlainJob, presentPlainJob } from '../workers/plain-job.ts'
import { reportApp } from '../workers/report-app.ts'
import { serveFromChild } from './serve-from-child.ts'

const [port = '', count = '0'] = process.argv.slice(2)
const queue = new Queue('bench', { connection: { port: Number(port) } })
const ids = Array.from({ length: Number(count) }, (_, n) => `job-${n}`)
await queue.addBulk(ids.map((jobId) => ({ name: 'import', data: {}, opts: { jobId } })))
const jobs = new Map<string, Job>()
for (const jobId of ids) {
  const job = await Job.fromId(queue, jobId)
  if (job) jobs.set(jobId, job)
}

serveFromChild(
  reportApp({
    async report(_env, jobId, report) {
      const job = jobs.get(jobId)
      if (job === undefined) throw new Error(`There is no ${jobId}`)
      const state = { ...newPlainJob(jobId), ...(job.progress as object) }
      const next = applyPlainReport(state, report, Date.now())
      await job.updateProgress(next)
      return presentPlainJob(next)
    },
  }),
)
