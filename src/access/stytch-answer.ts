import type { SessionCaller } from './caller.ts'

/** What Stytch said about a session. `unavailable`: nothing for or against it. */
export type StytchAnswer =
  | { kind: 'session'; caller: SessionCaller }
  | { kind: 'forbidden' | 'unknown' }
  | { kind: 'unavailable'; failure: unknown }

/** The fields used of a member session, from a response or a JWT. */
interface MemberSession {
  member_session_id: string
  organization_id: string
  expires_at: string
}

/** What a member session means at `now`, in ms since the epoch. */
export function toAnswer(session: MemberSession, now: number): StytchAnswer {
  const { member_session_id: id, organization_id, expires_at } = session
  const expiresAt = Date.parse(expires_at)
  if (!id || !organization_id || Number.isNaN(expiresAt)) return { kind: 'unavailable', failure: undefined }
  if (expiresAt <= now) return { kind: 'unknown' }
  return { kind: 'session', caller: { kind: 'session', id, organizationIds: [organization_id], expiresAt } }
}

/** Stytch's errors for a token without a session: the session, its member or the organization is gone. */
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
  'jwt_invalid_audience',
  'jwt_invalid_claims',
  'jwt_invalid_issuer',
  'invalid_signature',
  // Only the token varies in our requests.
  'bad_request',
])

/** Stytch's errors for a member without the permission. */
const NOT_PERMITTED = new Set(['session_authorization_error', 'session_authorization_tenancy_error'])

/**
 * What an error from the SDK means. Only errors about the session itself count against the caller. The status is not
 * enough: a 404 may be about our project, and a 401 about our secret. Every other error, even one that Stytch has yet
 * to invent, counts as ours or Stytch's.
 */
export function toRefusal(failure: unknown): StytchAnswer {
  const { error_type: type = '' } = (failure ?? {}) as { error_type?: string }
  if (NO_SESSION.has(type)) return { kind: 'unknown' }
  if (NOT_PERMITTED.has(type)) return { kind: 'forbidden' }
  return { kind: 'unavailable', failure }
}
