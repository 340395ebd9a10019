import type { Context } from 'hono'
import type { JobShown } from '../../job-object/replies.ts'
import type { Job } from '../../jobs/job.ts'
import { presentJob } from '../../jobs/present-job.ts'

/** A reply with a job. If it does not hold all entries, a `Link` header leads to them. */
export function jobJson(c: Context, reply: JobShown): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', ETag: etagOf(reply.job) }
  if (reply.replayed) headers['Idempotency-Replayed'] = 'true'
  const links = linksOf(reply)
  if (links.length > 0) headers.Link = links.join(', ')
  return c.body(presentJob(reply, reply.asOf), 200, headers)
}

/** Whether `If-None-Match` has the job's current revision. A duration that grew is not a change. */
export function hasCurrent(c: Context, job: Job): boolean {
  const known = c.req
    .header('If-None-Match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
  return known?.some((tag) => tag === '*' || tag === etagOf(job).replace(/^W\//, '')) ?? false
}

export function sayNotModified(c: Context, job: Job): Response {
  return c.body(null, 304, { ETag: etagOf(job) })
}

/** Weak: the duration and the ETA change within a revision. */
export function etagOf({ revision }: Job): string {
  return `W/"${revision}"`
}

function linksOf({ job, errors, warnings }: JobShown): string[] {
  return [
    ...(job.keptErrors > errors.length ? [linkTo(job, 'errors')] : []),
    ...(job.keptWarnings > warnings.length ? [linkTo(job, 'warnings')] : []),
  ]
}

function linkTo({ jobId }: Job, entries: 'errors' | 'warnings'): string {
  return `</api/jobs/${jobId}/${entries}>; rel="${entries}"`
}
