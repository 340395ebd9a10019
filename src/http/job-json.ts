import type { Context } from 'hono'
import type { JobShown } from '../job-object/replies.ts'
import type { Job } from '../jobs/job.ts'
import { presentJob } from './present-job.ts'

/** The reply that carries a job. Where it does not carry all entries, a `Link` leads to them. */
export function jobJson(c: Context, reply: JobShown): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' }
  if (reply.replayed) headers['Idempotency-Replayed'] = 'true'
  const links = linksOf(reply)
  if (links.length > 0) headers.Link = links.join(', ')
  return c.body(presentJob(reply, reply.asOf), 200, headers)
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
