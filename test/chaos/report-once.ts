import { type Job, Milepost, type MilepostOptions, type Report } from 'milepost'

/**
 * Sends one report as one request, with the client's retries, and returns the job. Rejects with the client's errors. Chaos has to
 * know of each report whether it was acknowledged, so none may be merged with another.
 */
export async function reportOnce(options: MilepostOptions, jobId: string, report: Report): Promise<Job> {
  const job = new Milepost({ ...options, onProblem: () => {} }).job(jobId)
  try {
    job.report(report)
    await job.flush()
    if (job.latest === undefined) throw new Error('A report was acknowledged without a job')
    return job.latest
  } finally {
    job.close()
  }
}
