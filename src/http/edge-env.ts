import type { Caller } from '../access/caller.ts'
import type { Env } from '../env.ts'
import type { Retry } from '../jobs/retry.ts'

/** What handlers find in their context: the bindings, and what `authenticate` made out. */
export interface EdgeEnv {
  Bindings: Env
  Variables: {
    caller: Caller
    /** The organisation that the request is about; null: none of the caller's, so that no job is there for it. */
    organizationId: string | null
    /** What tells a retry from a new request, where the endpoint is `idempotent` and the caller sent a key. */
    retry: Retry | null
  }
}
