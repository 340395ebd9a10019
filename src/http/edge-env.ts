import type { Caller, Permission, Verdict } from '../access/caller.ts'
import type { Env } from '../env.ts'
import type { KeyedRequest } from '../jobs/keyed-request.ts'
import type { Placement } from '../jobs/placement.ts'

/** What handlers find in their context: the bindings, and what `authenticate` made out. */
export interface EdgeEnv {
  Bindings: Env
  Variables: {
    requestId: string
    caller: Caller
    /** Whether the caller may do this in their organization. */
    permits: (permission: Permission) => Promise<Verdict>
    /** The organization that the request is about; null: none of the caller's, so that no job is there for it. */
    organizationId: string | null
    /** Where that organization lives. */
    placement: Placement
    /** Where the endpoint takes an `Idempotency-Key`; null where none was sent. */
    keyedRequest: KeyedRequest | null
    /** Whether the credential still permits what it did: asked again and again by what goes on for long. */
    isStillValid: () => Promise<boolean>
    /** Why the request is refused, as a word for the log. */
    reason?: string
  }
}
