/** All that a caller can be permitted to do. */
export const PERMISSIONS = ['job:create', 'job:read', 'job:cancel'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Who is calling, as far as their credential tells. */
export type Caller = KeyCaller | SessionCaller

interface Credited {
  /** What operators call the credential by; not secret. */
  id: string
  organizationIds: string[]
  /** From this millisecond since the epoch on, the credential is none; null: it does not expire. */
  expiresAt: number | null
}

/** A server API key. */
export interface KeyCaller extends Credited {
  kind: 'key'
  /** As stored: a permission that this version does not know permits nothing. */
  permissions: string[]
}

/** A member of an organisation, by their session. What they may do is asked when it is needed. */
export interface SessionCaller extends Credited {
  kind: 'session'
  expiresAt: number
}

/** `ended`: the credential is none any more. `unavailable`: nobody could be asked. */
export type Verdict = 'yes' | 'no' | 'ended' | 'unavailable'

/** What came of a credential. */
export type Identification =
  | { ok: true; caller: Caller; permits: (permission: Permission) => Promise<Verdict> }
  /** `not_asked`: it is not known from before, and was not to be asked about. */
  | { ok: false; reason: 'malformed' | 'unknown' | 'expired' | 'revoked' | 'not_asked' | 'unavailable' }

/** `organizationId` null: the request is about none of the caller's, so that every job in it is missing. */
export type Choice = { ok: true; organizationId: string | null } | { ok: false; reason: 'several' }

/**
 * Chooses the organisation that a request is about.
 *
 * @param header the `X-Organization-ID` of the request, undefined where it was not sent. One that was sent has to name an
 * organisation of the caller's, an empty one included: falling back to another would answer about the wrong jobs.
 */
export function chooseOrganization(caller: Caller, header: string | undefined): Choice {
  if (header !== undefined)
    return { ok: true, organizationId: caller.organizationIds.includes(header) ? header : null }
  const [only, ...others] = caller.organizationIds
  return others.length > 0 ? { ok: false, reason: 'several' } : { ok: true, organizationId: only ?? null }
}
