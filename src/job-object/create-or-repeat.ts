import { createJob, type NewJob } from '../jobs/create-job.ts'
import type { Job, JobKey } from '../jobs/job.ts'
import { judgeRepeat, type KeyedRequest } from '../jobs/keyed-request.ts'
import type { JobHolder } from './job-holder.ts'
import type { Journal } from './journal.ts'
import { type JobReply, replay, show, UNAVAILABLE } from './replies.ts'

/** How long a keyed create waits for D1 to say whether its job exists already, in ms. */
const TIMEOUT_MS = 2_000
const NO_ENTRIES = { errors: [], warnings: [] }

/**
 * Creates a job. A keyed request derives the job's id from its key, so the job may exist already: the request is then a
 * repeat. Throws if the journal does not take the job.
 */
export async function createOrRepeat(
  holder: JobHolder,
  journal: Journal,
  key: JobKey,
  newJob: NewJob,
  request: KeyedRequest | null,
): Promise<JobReply> {
  if (request !== null) {
    const found = await holder.findNow(key, TIMEOUT_MS)
    if (holder.held !== undefined) return repeatCreate(holder.held.job, newJob, request)
    // D1 has the job, or may still return it: creating it again would hide that one.
    if (!found.ok && found.reason === 'uncertain') return UNAVAILABLE
    // D1 is down: an empty journal counts as no job, so creating goes on, unless a job was archived from here. Should D1
    // turn out to have the job after all, see `yieldTo`.
    if (!found.ok && found.reason === 'unavailable' && journal.archivedUntil !== undefined) return UNAVAILABLE
  }
  const job = createJob(key.jobId, newJob, Date.now(), request?.fingerprint ?? null)
  holder.holdNew(key, job)
  return show(job, NO_ENTRIES, job.createdAt)
}

/** The reply to a create whose job exists: for the same body, the job as it was created. */
function repeatCreate(
  { jobId, status, createdAt, createFingerprint }: Job,
  newJob: NewJob,
  request: KeyedRequest,
): JobReply {
  const created = { fingerprint: createFingerprint ?? request.fingerprint, asOf: createdAt }
  switch (judgeRepeat(created, request, Date.now())) {
    case 'key_reused':
      return { ok: false, reason: 'key_reused' }
    case 'expired':
      return { ok: false, reason: 'key_expired', jobId }
    case 'repeated':
      return replay(createJob(jobId, newJob, createdAt, createFingerprint), NO_ENTRIES, createdAt, status)
  }
}
