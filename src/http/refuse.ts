import type { Context } from 'hono'
import type { JobRefusal } from '../job-object/replies.ts'
import { MAX_METADATA_BYTES } from '../jobs/limits.ts'
import { invalid } from './validation-error.ts'

/** Seconds after which a caller may try again what could not be done now. */
export const RETRY_AFTER = '5'

/** The one place where the domain's reasons become HTTP. */
export async function refuse(c: Context, refusal: JobRefusal): Promise<Response> {
  c.set('reason', refusal.reason)
  switch (refusal.reason) {
    // What is another organisation's reads exactly as what is not there: a 403 would tell that it is.
    case 'not_found':
      return c.json({ detail: 'Job not found' }, 404)
    case 'closed':
      return c.json({ detail: `Job is ${refusal.status} and takes no more reports` }, 409)
    case 'metadata_too_large':
      return invalid(c, [
        {
          type: 'too_large',
          loc: ['body'],
          msg: `Metadata of a job should have at most ${MAX_METADATA_BYTES} bytes in all`,
          input: await c.req.json(),
          ctx: { max_bytes: MAX_METADATA_BYTES },
        },
      ])
    case 'key_reused':
      return refuseKey(c, 'idempotency_key_reused', 'This key was sent before, with another body')
    case 'key_expired':
      return refuseKey(
        c,
        'idempotency_key_expired',
        `This key created ${refusal.jobId} more than 24 hours ago: a new job takes a new key`,
      )
    case 'unavailable':
      return c.json({ detail: 'Temporarily unavailable' }, 503, { 'Retry-After': RETRY_AFTER })
    default:
      return refusal satisfies never
  }
}

function refuseKey(
  c: Context,
  type: 'idempotency_key_expired' | 'idempotency_key_reused',
  msg: string,
): Response {
  const loc = ['header', 'Idempotency-Key']
  return invalid(c, [{ type, loc, msg, input: c.req.header('Idempotency-Key') }])
}
