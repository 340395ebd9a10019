/** Everything a caller can be permitted to do. */
export const PERMISSIONS = ['job:create', 'job:read', 'job:cancel'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Who is calling, as far as their credential says. */
export type Caller = KeyCaller | SessionCaller

interface Credited {
  /** What operators know the credential by. It is no secret. */
  id: string
  organizationIds: string[]
  /** When the credential expires, in ms since the epoch; null: never. */
  expiresAt: number | null
}

/** A server API key. */
export interface KeyCaller extends Credited {
  kind: 'key'
  /** As stored. One that this version does not know permits nothing. */
  permissions: string[]
}

/** A member of an organization, by their session. What they may do is looked up when it matters. */
export interface SessionCaller extends Credited {
  kind: 'session'
  expiresAt: number
}

/** `ended`: the credential has ceased to exist. `unavailable`: nobody could be asked. */
export type Verdict = 'yes' | 'no' | 'ended' | 'unavailable'

/** What a credential turned out to be. */
export type Identification =
  | { ok: true; caller: Caller; permits: (permission: Permission) => Promise<Verdict> }
  /** `not_asked`: it is not remembered, and was not to be looked up. */
  | { ok: false; reason: 'malformed' | 'unknown' | 'expired' | 'revoked' | 'not_asked' | 'unavailable' }

/** `organizationId` is null where the request names an organization that is not the caller's: no job is found in it. */
type Choice = { ok: true; organizationId: string | null } | { ok: false; reason: 'several' }

/**
 * Chooses the organization that a request is about.
 *
 * @param header the `X-Organization-ID` of the request; undefined if it was not sent. If it was, even empty, it must
 * name one of the caller's organizations: falling back to another would answer about the wrong jobs.
 */
export function chooseOrganization(caller: Caller, header: string | undefined): Choice {
  if (header !== undefined)
    return { ok: true, organizationId: caller.organizationIds.includes(header) ? header : null }
  const [only, ...others] = caller.organizationIds
  return others.length > 0 ? { ok: false, reason: 'several' } : { ok: true, organizationId: only ?? null }
}
