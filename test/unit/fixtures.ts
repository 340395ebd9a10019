import { applyReport } from '../../src/jobs/apply-report.ts'
import { createJob } from '../../src/jobs/create-job.ts'
import type { Entry, Job, Report, ReportedEntry } from '../../src/jobs/job.ts'
import type { ChangeOutcome } from '../../src/jobs/outcome.ts'
import type { EntityState } from '../../src/jobs/tally.ts'

/** A job in memory: does what its object does, without the disk. */
export class JobInMemory {
  job: Job
  readonly entries: Entry[] = []
  readonly #states = new Map<string, EntityState>()
  readonly #maxEntryBytes: number

  constructor(job: Job, maxEntryBytes = 1_000_000) {
    this.job = job
    this.#maxEntryBytes = maxEntryBytes
  }

  report(report: Report, now = this.job.updatedAt): ChangeOutcome {
    const id = (type: string, key: string) => JSON.stringify([type, key])
    const stateOf = (type: string, key: string) => this.#states.get(id(type, key)) ?? 'clean'
    const outcome = applyReport(this.job, report, now, stateOf, this.#maxEntryBytes)
    if (outcome.ok) {
      this.job = outcome.job
      this.entries.push(...outcome.entries)
      for (const { entityType, entityKey, state } of outcome.entities) {
        this.#states.set(id(entityType, entityKey), state)
      }
    }
    return outcome
  }
}

/** A pending job, with the fields given. */
export function aJob(given: Partial<Job>): Job {
  const newJob = {
    jobType: 'import',
    totalItems: 0,
    metadata: {},
    labels: {},
    parentJobId: null,
    triggeredBy: null,
    stallAfterSeconds: null,
    startWithinSeconds: null,
    finishWithinSeconds: null,
    callbackUrl: null,
  }
  return { ...createJob('job_1', newJob, 1_800_000_000_000), ...given }
}

export function aReportedEntry(given: Partial<ReportedEntry>): ReportedEntry {
  return {
    entityKey: 'sku-1',
    entityType: 'product',
    errorType: 'bad_row',
    message: 'cannot be used',
    step: null,
    details: null,
    ...given,
  }
}
