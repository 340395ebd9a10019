import type { SessionCaller } from './caller.ts'

/** What Stytch said of a session. `unavailable`: nothing that speaks for or against it. */
export type StytchAnswer =
  | { kind: 'session'; caller: SessionCaller }
  | { kind: 'forbidden' | 'unknown' }
  | { kind: 'unavailable'; failure: unknown }

/** The fields of a member session that matter, in a reply or in a JWT. */
interface MemberSession {
  member_session_id: string
  organization_id: string
  expires_at: string
}

/** What a member session amounts to at `now`, in ms since the epoch. */
export function toAnswer(session: MemberSession, now: number): StytchAnswer {
  const { member_session_id: id, organization_id, expires_at } = session
  const expiresAt = Date.parse(expires_at)
  if (!id || !organization_id || Number.isNaN(expiresAt)) return { kind: 'unavailable', failure: undefined }
  if (expiresAt <= now) return { kind: 'unknown' }
  return { kind: 'session', caller: { kind: 'session', id, organizationIds: [organization_id], expiresAt } }
}

/**
 * Stytch's words for a token that is not, or no longer, a session's: the session, its member or their organization is
 * gone.
 */
const NO_SESSION = new Set([
  'session_not_found',
  'member_not_found',
  'organization_not_found',
  'member_does_not_exist_in_organization',
  'user_unauthenticated',
  'invalid_session_token',
  'invalid_session_token_docs',
  'invalid_session_id',
  'incompatible_session_type',
  'invalid_session_missing_primary_factor',
  'session_must_have_at_least_one_active_factor',
  'attribute_mismatch',
  // The only thing that varies in our requests is the token.
  'bad_request',
])

/** Stytch's words for a member who may not do what was asked about. */
const NOT_PERMITTED = new Set(['session_authorization_error', 'session_authorization_tenancy_error'])

/**
 * What an error from the SDK means. Only what Stytch says about the session itself is held against the caller. The
 * status does not tell: a 404 may be our project, and a 401 our secret. So every other error counts as ours or Stytch's,
 * even one that Stytch has yet to invent.
 */
export function toRefusal(failure: unknown): StytchAnswer {
  const { error_type: type = '' } = (failure ?? {}) as { error_type?: string }
  if (NO_SESSION.has(type)) return { kind: 'unknown' }
  if (NOT_PERMITTED.has(type)) return { kind: 'forbidden' }
  return { kind: 'unavailable', failure }
}
