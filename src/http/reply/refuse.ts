import type { Context } from 'hono'
import type { Permission } from '../../access/caller.ts'
import type { JobRefusal } from '../../job-object/replies.ts'
import { MAX_BODY_BYTES, MAX_COUNTERS, MAX_METADATA_BYTES } from '../../jobs/limits.ts'
import type { UsageExcess, UsageLimits } from '../../jobs/usage.ts'
import { parseJson } from '../body/parse-json.ts'
import type { Fault, Problem } from './validation-error.ts'

/** Why a caller is refused, before anything else in the request is checked. */
export type CallerRefusal =
  | { ok: false; reason: 'no_credential' }
  /** The caller gets the same reply for all of these; only the log tells them apart. */
  | { ok: false; reason: 'malformed' | 'unknown' | 'expired' | 'revoked' }
  | { ok: false; reason: 'foreign_page' }
  | { ok: false; reason: 'not_permitted'; permission: Permission }
  | { ok: false; reason: 'organization_left_open' }
  | { ok: false; reason: 'organization_not_found' }
  | { ok: false; reason: 'credential_not_checked' }
  | { ok: false; reason: 'too_many_requests' }
  | { ok: false; reason: 'too_many_failures' }

/** Why a request reaches no endpoint, or the endpoint fails. */
type RouteRefusal =
  | { ok: false; reason: 'no_such_path' }
  | { ok: false; reason: 'method_not_allowed'; methods: string[] }
  /** A bug. */
  | { ok: false; reason: 'failed' }

/** Why a request is refused before its job is called. */
type RequestRefusal =
  /** The body is not in an encoding that JSON may have. */
  | { ok: false; reason: 'not_text' }
  | { ok: false; reason: 'too_large' }
  | { ok: false; reason: 'invalid'; problems: Problem[] }

/** Why an organization may not create another job. */
export interface UsageRefusal {
  ok: false
  reason: UsageExcess
  limits: UsageLimits
}

export type Refusal = RouteRefusal | CallerRefusal | RequestRefusal | UsageRefusal | JobRefusal

/** The refusal of an invalid request, with everything that is wrong with it. */
export function invalid(problems: Problem[]): Refusal {
  return { ok: false, reason: 'invalid', problems }
}

/** Seconds to wait when something is down. */
const RETRY_AFTER = { 'Retry-After': '5' }
/** Seconds to wait when the caller is over a limit: as long as a limiter's refusal is remembered. */
const RETRY_AFTER_LIMIT = { 'Retry-After': '10' }

/** The one place that turns reasons into replies. The reason is logged, too. */
export function refuse(c: Context, refusal: Refusal): Response | Promise<Response> {
  c.set('reason', refusal.reason)
  switch (refusal.reason) {
    case 'no_such_path':
      return c.json({ detail: 'Not Found' }, 404)
    case 'method_not_allowed':
      return c.json({ detail: 'Method Not Allowed' }, 405, { Allow: refusal.methods.join(', ') })
    case 'failed':
      return c.json({ detail: 'Internal Server Error' }, 500)
    case 'no_credential':
      return c.json({ detail: 'Not authenticated' }, 401, { 'WWW-Authenticate': 'Bearer' })
    // The same words for all, so a stranger learns nothing about a key.
    case 'malformed':
    case 'unknown':
    case 'expired':
    case 'revoked':
      return c.json({ detail: 'Invalid credentials' }, 401, { 'WWW-Authenticate': 'Bearer' })
    case 'foreign_page':
      return c.json({ detail: 'Pages of other sites cannot change anything with a session' }, 403)
    case 'not_permitted':
      return c.json({ detail: `Missing required permission: ${refusal.permission}` }, 403)
    case 'organization_left_open':
      return c.json({ detail: 'The credential has several organizations: send X-Organization-ID' }, 400)
    case 'organization_not_found':
      return c.json({ detail: 'Organization not found' }, 404)
    case 'credential_not_checked':
      return c.json({ detail: 'Credentials cannot be checked right now' }, 503, RETRY_AFTER)
    case 'too_many_requests':
      return c.json({ detail: 'Too many requests' }, 429, RETRY_AFTER_LIMIT)
    case 'too_many_failures':
      return c.json({ detail: 'Too many failed authentications' }, 429, RETRY_AFTER_LIMIT)
    case 'not_text':
      return c.json({ detail: 'There was an error parsing the body' }, 400)
    case 'too_large':
      return c.json({ detail: `The body is larger than ${MAX_BODY_BYTES} bytes` }, 413)
    case 'invalid':
      return c.json({ detail: refusal.problems }, 422)
    case 'too_many_live_jobs': {
      const { liveJobs } = refusal.limits
      return c.json(
        { detail: `The organization already has ${liveJobs} unfinished jobs` },
        429,
        RETRY_AFTER_LIMIT,
      )
    }
    // Not 429: waiting does not help until old jobs are deleted.
    case 'storage_full': {
      const { bytes } = refusal.limits
      return c.json({ detail: `The organization has used its ${bytes} bytes of storage` }, 403)
    }
    // The same for another organization's job: a 403 would reveal that it exists.
    case 'not_found':
      return c.json({ detail: 'Job not found' }, 404)
    case 'closed':
      return c.json({ detail: `Job is ${refusal.status} and takes no more reports` }, 409)
    case 'metadata_too_large':
      return refuseBody(c, null, {
        type: 'too_large',
        msg: `Metadata of a job should have at most ${MAX_METADATA_BYTES} bytes in all`,
        ctx: { max_bytes: MAX_METADATA_BYTES },
      })
    case 'too_many_counters':
      return refuseBody(c, 'counters', {
        type: 'too_long',
        msg: `A job should have at most ${MAX_COUNTERS} counters, not ${refusal.names}`,
        ctx: { field_type: 'Dictionary', max_length: MAX_COUNTERS, actual_length: refusal.names },
      })
    case 'key_reused':
      return refuseKey(c, 'idempotency_key_reused', 'This key was already used with another body')
    case 'key_expired': {
      const msg = `This key created ${refusal.jobId} more than 24 hours ago: use a new key for a new job`
      return refuseKey(c, 'idempotency_key_expired', msg)
    }
    case 'unavailable':
      return c.json({ detail: 'Temporarily unavailable' }, 503, RETRY_AFTER)
    default:
      return refusal satisfies never
  }
}

/** For a fault of a valid body, or of one of its fields, that only the job shows. */
async function refuseBody(c: Context, field: string | null, { type, msg, ctx }: Fault): Promise<Response> {
  const sent = parseJson(new Uint8Array(await c.req.arrayBuffer()))
  const body = sent.ok ? (sent.value as Record<string, unknown>) : undefined
  const problem: Problem = {
    type,
    loc: field === null ? ['body'] : ['body', field],
    msg,
    input: field === null ? body : body?.[field],
    ...(ctx && { ctx }),
  }
  return c.json({ detail: [problem] }, 422)
}

type KeyProblem = 'idempotency_key_expired' | 'idempotency_key_reused'

function refuseKey(c: Context, type: KeyProblem, msg: string): Response {
  const loc = ['header', 'Idempotency-Key']
  return c.json({ detail: [{ type, loc, msg, input: c.req.header('Idempotency-Key') }] }, 422)
}
