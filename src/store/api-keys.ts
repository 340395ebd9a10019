import { and, desc, eq, sql } from 'drizzle-orm'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import { apiKeys } from './schema.ts'

/** The store, over whichever driver: the edge asks D1 itself, an operator's shell asks it through Cloudflare's API. */
export type ApiKeyStore = BaseSQLiteDatabase<'async', unknown>

export type ApiKey = typeof apiKeys.$inferSelect

/** What may be shown of a key. */
export type ListedApiKey = Omit<ApiKey, 'keyHash'>

/** Stores a key that was just made. */
export async function insertApiKey(store: ApiKeyStore, key: Omit<ApiKey, 'revokedAt'>): Promise<void> {
  await store.insert(apiKeys).values(key)
}

/** The key of this hash, revoked and expired ones too. The hash is the credential, hence no organisation is asked for. */
export async function findApiKey(store: ApiKeyStore, keyHash: string): Promise<ApiKey | undefined> {
  const [key] = await store.select().from(apiKeys).where(eq(apiKeys.keyHash, keyHash))
  return key
}

/** The organisation's keys, newest first, without anything secret. */
export async function listApiKeys(store: ApiKeyStore, organizationId: string): Promise<ListedApiKey[]> {
  const { keyId, name, permissions, createdAt, expiresAt, revokedAt } = apiKeys
  return await store
    .select({
      keyId,
      organizationId: apiKeys.organizationId,
      name,
      permissions,
      createdAt,
      expiresAt,
      revokedAt,
    })
    .from(apiKeys)
    .where(eq(apiKeys.organizationId, organizationId))
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.keyId))
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
    .where(and(eq(apiKeys.organizationId, organizationId), eq(apiKeys.keyId, keyId)))
    .returning({ keyId: apiKeys.keyId })
  return revoked.length > 0
}
