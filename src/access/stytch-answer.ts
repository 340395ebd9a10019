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

/** What an error of the SDK means. Only what Stytch says of the session itself is held against the caller. */
export function toRefusal(failure: unknown): StytchAnswer {
  const { status_code, error_type } = (failure ?? {}) as { status_code?: number; error_type?: string }
  switch (status_code) {
    case 403:
      return { kind: 'forbidden' }
    case 400:
    case 404:
      return { kind: 'unknown' }
    case 401:
      // These would be our own project id and secret.
      if (error_type === 'unauthorized_credentials') return { kind: 'unavailable', failure }
      return { kind: 'unknown' }
    default:
      return { kind: 'unavailable', failure }
  }
}
