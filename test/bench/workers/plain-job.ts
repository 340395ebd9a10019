/** The minimal job of the floors and the alternatives. */
export interface PlainJob {
  job_id: string
  status: string
  stage: string | null
  processed_items: number
  total_items: number
  /** In ms since the epoch. */
  updated_at: number
}

export interface PlainReport {
  stage?: string | null | undefined
  processed_items?: number | null | undefined
}

export function newPlainJob(jobId: string): PlainJob {
  return {
    job_id: jobId,
    status: 'pending',
    stage: null,
    processed_items: 0,
    total_items: 10_000_000,
    updated_at: 0,
  }
}

export function applyPlainReport(job: PlainJob, report: PlainReport, now: number): PlainJob {
  return {
    ...job,
    status: 'in_progress',
    stage: report.stage ?? job.stage,
    processed_items: report.processed_items ?? job.processed_items,
    updated_at: now,
  }
}

export function presentPlainJob(job: PlainJob): object {
  const share = job.processed_items / job.total_items
  return { ...job, progress_percentage: Math.min(100, Math.round(share * 10_000) / 100) }
}
