import { and, desc, eq, gt, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import { apiKeys } from './schema.ts'

/** How exactly it is noted when a key was last used, in ms: at most one write a key in so long. */
const USE_NOTED_EVERY = 60 * 60 * 1_000

/** The store, over whichever driver: the edge asks D1 itself, an operator's shell asks it through Cloudflare's API. */
export type ApiKeyStore = BaseSQLiteDatabase<'async', unknown>

export type ApiKey = typeof apiKeys.$inferSelect

/** What may be shown of a key. */
export type ListedApiKey = Omit<ApiKey, 'keyHash'>

/** A key that was just made. */
export type NewApiKey = Omit<ApiKey, 'revokedAt' | 'lastUsedAt'>

/** Stores a key that was just made. */
export async function insertApiKey(store: ApiKeyStore, key: NewApiKey): Promise<void> {
  await store.insert(apiKeys).values(key)
}

/** The key of this hash, revoked and expired ones too. The hash is the credential, hence no organisation is asked for. */
export async function findApiKey(store: ApiKeyStore, keyHash: string): Promise<ApiKey | undefined> {
  const [key] = await store.select().from(apiKeys).where(eq(apiKeys.keyHash, keyHash))
  return key
}

/** Notes that a key is in use, unless that was noted within the last hour, or the key is good no more. */
export async function noteUse(store: ApiKeyStore, key: ApiKey, now: number): Promise<void> {
  if (key.lastUsedAt !== null && now - key.lastUsedAt < USE_NOTED_EVERY) return
  if (key.revokedAt !== null || (key.expiresAt !== null && now >= key.expiresAt)) return
  await store
    .update(apiKeys)
    .set({ lastUsedAt: now })
    .where(
      and(
        eq(apiKeys.keyHash, key.keyHash),
        // Others may have noted it at the same time, elsewhere.
        or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, now - USE_NOTED_EVERY)),
      ),
    )
}

/** The organisation's keys, newest first, without anything secret. */
export async function listApiKeys(store: ApiKeyStore, organizationId: string): Promise<ListedApiKey[]> {
  const { keyId, organizationIds, name, permissions, createdAt, expiresAt, revokedAt, lastUsedAt } = apiKeys
  return await store
    .select({ keyId, organizationIds, name, permissions, createdAt, expiresAt, revokedAt, lastUsedAt })
    .from(apiKeys)
    .where(isFor(organizationId))
    .orderBy(desc(createdAt), desc(keyId))
}

/** Revokes a key; one that already was keeps its time. False where the organisation has no such key. */
export async function revokeApiKey(
  store: ApiKeyStore,
  organizationId: string,
  keyId: string,
  now: number,
): Promise<boolean> {
  const revoked = await store
    .update(apiKeys)
    .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, ${now})` })
    .where(and(isFor(organizationId), eq(apiKeys.keyId, keyId)))
    .returning({ keyId: apiKeys.keyId })
  return revoked.length > 0
}

/** A key of the organisation that is good at `now`; undefined where there is none of this id. */
export async function findUsableApiKey(
  store: ApiKeyStore,
  organizationId: string,
  keyId: string,
  now: number,
): Promise<ApiKey | undefined> {
  const [key] = await store
    .select()
    .from(apiKeys)
    .where(
      and(
        isFor(organizationId),
        eq(apiKeys.keyId, keyId),
        isNull(apiKeys.revokedAt),
        or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)),
      ),
    )
  return key
}

/** Lets a key expire at `end`, or earlier where it would have anyway. The time at which it does. */
export async function endApiKey(
  store: ApiKeyStore,
  organizationId: string,
  keyId: string,
  end: number,
): Promise<number | null | undefined> {
  const [ended] = await store
    .update(apiKeys)
    .set({ expiresAt: sql`min(coalesce(${apiKeys.expiresAt}, ${end}), ${end})` })
    .where(and(isFor(organizationId), eq(apiKeys.keyId, keyId)))
    .returning({ expiresAt: apiKeys.expiresAt })
  return ended?.expiresAt
}

function isFor(organizationId: string): SQL {
  return sql`exists (select 1 from json_each(${apiKeys.organizationIds}) where value = ${organizationId})`
}
