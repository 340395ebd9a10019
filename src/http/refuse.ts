import type { Context } from 'hono'
import type { JobRefusal } from '../job-object/replies.ts'
import { MAX_METADATA_BYTES } from '../jobs/metadata.ts'
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
    case 'retry_key_reused':
      return invalid(c, [
        {
          type: 'idempotency_key_reused',
          loc: ['header', 'Idempotency-Key'],
          msg: 'This key was sent before, with another body',
          input: c.req.header('Idempotency-Key'),
        },
      ])
    case 'unavailable':
      return c.json({ detail: 'Temporarily unavailable' }, 503, { 'Retry-After': RETRY_AFTER })
    default:
      return refusal satisfies never
  }
}
