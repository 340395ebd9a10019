import type { Context } from 'hono'
import type { JobReply } from '../job-object/job-object.ts'
import { MAX_METADATA_BYTES } from '../jobs/metadata.ts'
import { invalid } from './validation-error.ts'

type Refusal = Extract<JobReply, { ok: false }>

/** Seconds after which a caller may try again what could not be done now. */
const RETRY_AFTER = '5'

/** The one place where the domain's reasons become HTTP. */
export async function refuse(c: Context, refusal: Refusal): Promise<Response> {
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
    case 'unavailable':
      return c.json({ detail: 'Temporarily unavailable' }, 503, { 'Retry-After': RETRY_AFTER })
    default:
      return refusal satisfies never
  }
}
