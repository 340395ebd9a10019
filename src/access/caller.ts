/** All that a caller can be permitted to do. */
export const PERMISSIONS = ['job:create', 'job:read', 'job:cancel'] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Who is calling, as far as their credential tells. */
export interface Caller {
  kind: 'key'
  /** What operators call the credential by; not secret. */
  id: string
  organizationIds: string[]
  /** As stored: a permission that this version does not know permits nothing. */
  permissions: string[]
  /** From this millisecond since the epoch on, the credential is none; null: it does not expire. */
  expiresAt: number | null
}

/**
 * The organisation that a request is about; null where it is none of the caller's, so that every job in it is missing.
 *
 * @param header the `X-Organization-ID` of the request, undefined where it was not sent. One that was sent has to name an
 * organisation of the caller's, an empty one included: falling back to another would answer about the wrong jobs.
 */
export function chooseOrganization(caller: Caller, header: string | undefined): string | null {
  if (header !== undefined) return caller.organizationIds.includes(header) ? header : null
  const [only, ...others] = caller.organizationIds
  return only !== undefined && others.length === 0 ? only : null
}
