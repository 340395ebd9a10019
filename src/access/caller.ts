import type { Placement } from '../jobs/placement.ts'

/** Every permission that a caller can have. */
export const PERMISSIONS = ['job:create', 'job:read', 'job:cancel'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Who is calling, according to the credential. */
export type Caller = KeyCaller | SessionCaller

interface Credited {
  /** How operators refer to the credential. Not secret. */
  id: string
  organizationIds: string[]
  /** When the credential expires, in ms since the epoch; null: never. */
  expiresAt: number | null
}

/** A server API key. */
export interface KeyCaller extends Credited {
  kind: 'key'
  /** By organization: see `Placement`. Those without one are left out. */
  placements: Record<string, Placement>
  /** As stored. Permissions that this version does not know have no effect. */
  permissions: string[]
}

/** A member of an organization, by their session. Permissions are looked up when needed. */
export interface SessionCaller extends Credited {
  kind: 'session'
  expiresAt: number
}

/** `ended`: the credential no longer exists. `unavailable`: this could not be checked. */
export type Verdict = 'yes' | 'no' | 'ended' | 'unavailable'

/** What a credential turned out to be. */
export type Identification =
  | {
      ok: true
      caller: Caller
      permits: (permission: Permission) => Promise<Verdict>
      /** Where an organization of the caller's lives. */
      placementOf: (organizationId: string) => Placement
    }
  /** `not_asked`: the credential is not remembered, and a look-up was not allowed. */
  | { ok: false; reason: 'malformed' | 'unknown' | 'expired' | 'revoked' | 'not_asked' | 'unavailable' }

/** `organizationId` is null if the request names an organization that is not the caller's: no job is found then. */
type Choice = { ok: true; organizationId: string | null } | { ok: false; reason: 'several' }

/**
 * Chooses the organization of a request.
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
