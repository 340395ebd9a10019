import type { Context } from 'hono'
import type { JobShown } from '../../job-object/replies.ts'

/** The reply that carries a job. Where it does not carry all entries, a `Link` leads to them. */
export function jobJson(c: Context, { body, revision, hasMore, replayed }: JobShown): Response {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', ETag: etagOf(revision) }
  if (replayed) headers['Idempotency-Replayed'] = 'true'
  const links = (['errors', 'warnings'] as const)
    .filter((entries) => hasMore[entries])
    .map((entries) => `</api/jobs/${c.req.param('job_id')}/${entries}>; rel="${entries}"`)
  if (links.length > 0) headers.Link = links.join(', ')
  return c.body(body, 200, headers)
}

/** Whether the caller has this revision: then 304 says so, without a body. The running clock is no change. */
export function hasCurrent(c: Context, revision: number): boolean {
  const known = c.req
    .header('If-None-Match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
  return known?.some((tag) => tag === '*' || tag === etagOf(revision).replace(/^W\//, '')) ?? false
}

export function sayNotModified(c: Context, revision: number): Response {
  return c.body(null, 304, { ETag: etagOf(revision) })
}

/** Weak, since the duration and the ETA go on while the job stays the same. */
export function etagOf(revision: number): string {
  return `W/"${revision}"`
}
