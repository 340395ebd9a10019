import type { Caller, Permission, Verdict } from '../access/caller.ts'
import type { Env } from '../env.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'

/** The context of a request: the bindings, and what the middleware found out. */
export interface EdgeEnv {
  Bindings: Env
  Variables: {
    requestId: string
    caller: Caller
    /** Whether the caller may do this in their organization. */
    permits: (permission: Permission) => Promise<Verdict>
    /** The organization of the request; null if it names one that is not the caller's: no job is found then. */
    organizationId: string | null
    /** Set on endpoints that take an `Idempotency-Key`; null if none was sent. */
    keyedRequest: KeyedRequest | null
    /** Whether the credential still has the endpoint's permission. Streams check it repeatedly. */
    isStillValid: () => Promise<boolean>
    /** Why the request was refused, for the log. */
    reason?: string
  }
}
