import type { Context } from 'hono'
import type { Identification } from '../../access/caller.ts'
import { KnownKeys, type StoredKey } from '../../access/known-keys.ts'
import { hashServerApiKey } from '../../access/server-api-key.ts'
import { UNPLACED } from '../../jobs/placement.ts'
import { logErrorThrottled } from '../../log.ts'
import { remember } from '../../remember.ts'
import { findApiKey, noteUse } from '../../store/api-keys.ts'
import { openStore } from '../../store/store.ts'
import type { EdgeEnv } from '../edge-env.ts'

const knownKeys = new KnownKeys({ now: Date.now })
/** The hashes of keys that were valid: hashing a key takes longer than all else that is done with it. */
const hashes = new Map<string, string>()

/**
 * Whose key it is. With `mayAsk` false, only keys that were valid before are looked up.
 *
 * How long it takes does not tell how close a guess comes to a real key: guesses are hashed whole, and a map compares the
 * hashes of its keys first.
 */
export async function identifyKey(
  c: Context<EdgeEnv>,
  key: string,
  mayAsk: boolean,
): Promise<Identification> {
  const keyHash = hashes.get(key) ?? (await hashServerApiKey(key))
  const checked =
    mayAsk || knownKeys.wasValid(keyHash)
      ? await knownKeys.check(keyHash, {
          lookUp: (hash) => lookUp(c, hash),
          keepAlive: (work) => c.executionCtx.waitUntil(work),
        })
      : knownKeys.recall(keyHash)
  if (checked === undefined) return { ok: false, reason: 'not_asked' }
  if (!checked.ok) return checked
  if (!hashes.has(key)) remember(hashes, key, keyHash)
  const { caller } = checked
  return {
    ok: true,
    caller,
    permits: async (permission) => (caller.permissions.includes(permission) ? 'yes' : 'no'),
    placementOf: (organizationId) => caller.placements[organizationId] ?? UNPLACED,
  }
}

async function lookUp(c: Context<EdgeEnv>, keyHash: string): Promise<StoredKey | undefined> {
  const store = openStore(c.env.DB)
  const logFailure = (event: string) => (error: unknown) =>
    logErrorThrottled(event, { request_id: c.var.requestId }, error)
  try {
    const key = await findApiKey(store, keyHash)
    // A key in use is looked up about once a minute, often enough to note its use by the hour. No reply waits for that.
    if (key) c.executionCtx.waitUntil(noteUse(store, key, Date.now()).catch(logFailure('key_use_not_noted')))
    return key
  } catch (error) {
    logFailure('key_not_looked_up')(error)
    throw error
  }
}
