import type { SessionCaller } from './caller.ts'

/** What Stytch said of a session. `unavailable`: nothing that could be held for or against it. */
export type StytchAnswer =
  | { kind: 'session'; caller: SessionCaller }
  | { kind: 'forbidden' | 'unknown' }
  | { kind: 'unavailable'; failure: unknown }

/** The fields that matter of the member session in a reply, and in a JWT. */
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

/** What Stytch calls it that a token is no session's, or no longer: the session, its member or their organization is gone. */
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
  // All that varies in our requests is the token.
  'bad_request',
])

/** What Stytch calls it that the member may not do what was asked about. */
const NOT_PERMITTED = new Set(['session_authorization_error', 'session_authorization_tenancy_error'])

/**
 * What an error of the SDK means. Only what Stytch says of the session itself is held against the caller, and the status
 * does not tell: 404 is a project that is gone as well, and 401 our own secret. So every other error is about us or about
 * Stytch, also one that Stytch has yet to invent.
 */
export function toRefusal(failure: unknown): StytchAnswer {
  const { error_type: type = '' } = (failure ?? {}) as { error_type?: string }
  if (NO_SESSION.has(type)) return { kind: 'unknown' }
  if (NOT_PERMITTED.has(type)) return { kind: 'forbidden' }
  return { kind: 'unavailable', failure }
}
