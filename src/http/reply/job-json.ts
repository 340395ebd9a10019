import type { Context } from 'hono'
import type { JobShown } from '../../job-object/replies.ts'

/** A reply with a job. If it does not hold all entries, a `Link` header leads to them. See `etagOf` for the variant. */
export function jobJson(c: Context, { body, revision, hasMore, replayed }: JobShown, variant = ''): Response {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    ETag: etagOf(revision, variant),
  }
  if (replayed) headers['Idempotency-Replayed'] = 'true'
  const links = (['errors', 'warnings'] as const)
    .filter((entries) => hasMore[entries])
    .map((entries) => `</api/jobs/${c.req.param('job_id')}/${entries}>; rel="${entries}"`)
  if (links.length > 0) headers.Link = links.join(', ')
  return c.body(body, 200, headers)
}

/** Whether `If-None-Match` has the current revision. A duration that grew is not a change. */
export function hasCurrent(c: Context, revision: number, variant = ''): boolean {
  const known = c.req
    .header('If-None-Match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''))
  return known?.some((tag) => tag === '*' || tag === etagOf(revision, variant).replace(/^W\//, '')) ?? false
}

export function sayNotModified(c: Context, revision: number, variant = ''): Response {
  return c.body(null, 304, { ETag: etagOf(revision, variant) })
}

/** Weak: the duration and the ETA change within a revision. The variant tells what else the reply shows apart. */
export function etagOf(revision: number, variant = ''): string {
  return `W/"${revision}${variant && `-${variant}`}"`
}
