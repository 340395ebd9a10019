import { and, desc, eq, getTableColumns, gt, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import { apiKeys } from './schema.ts'

/** How exactly it is noted when a key was last used, in ms: at most one write a key in so long. */
const USE_NOTED_EVERY = 60 * 60 * 1_000

/** The store, over whichever driver: the edge asks D1 itself, an operator's shell asks it through Cloudflare's API. */
export type ApiKeyStore = BaseSQLiteDatabase<'async', unknown>

type ApiKey = typeof apiKeys.$inferSelect

/** What may be shown of a key. */
export type ListedApiKey = Omit<ApiKey, 'keyHash'>

/** A key that was just made. */
type NewApiKey = Omit<ApiKey, 'revokedAt' | 'lastUsedAt' | 'rotatedAt'>

const { keyHash: _, ...listed } = getTableColumns(apiKeys)

/** Stores a key that was just made. Safe to repeat. */
export async function insertApiKey(store: ApiKeyStore, key: NewApiKey): Promise<void> {
  await store.insert(apiKeys).values(key).onConflictDoNothing({ target: apiKeys.keyHash })
}

/** The key of this hash, revoked and expired ones too. The hash is the credential, hence no organization is asked for. */
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

/** The organization's keys, newest first, without anything secret. */
export async function listApiKeys(store: ApiKeyStore, organizationId: string): Promise<ListedApiKey[]> {
  return await store
    .select(listed)
    .from(apiKeys)
    .where(isFor(organizationId))
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.keyId))
}

/** Revokes a key; one that already was keeps its time. False where the organization has no such key. */
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

/** What takes the place of a key that is rotated, with the same rights. */
interface Twin {
  keyHash: string
  keyId: string
  /** In ms since the epoch; null: when the old one would have expired. */
  expiresAt: number | null
}

type Rotation =
  | { ok: true; twin: ListedApiKey; end: number }
  /** The organization has no such key, or it is good no more. */
  | { ok: false; reason: 'unknown' }
  /** It was rotated before, and is good until `end` (ms since the epoch). */
  | { ok: false; reason: 'rotated'; end: number }

/**
 * Puts a twin in the place of a key, which then expires at `end` (ms since the epoch), or earlier if it would have anyway. It is
 * one statement because every driver runs one whole or not at all: there is never a twin beside a key without an end.
 */
export async function rotateApiKey(
  store: ApiKeyStore,
  organizationId: string,
  keyId: string,
  twin: Twin,
  now: number,
  end: number,
): Promise<Rotation> {
  // In the order of the table's columns: the twin, which is inserted, and the old key, which is there and so is updated.
  const rows = sql`
    with old as (select * from ${apiKeys} where ${isFor(organizationId)} and ${apiKeys.keyId} = ${keyId}
      and ${isGood(now)} and ${apiKeys.rotatedAt} is null)
    select ${twin.keyHash}, ${twin.keyId}, organization_ids, name, permissions, ${now},
      coalesce(${twin.expiresAt}, expires_at), null, null, null from old
    union all
    select key_hash, key_id, organization_ids, name, permissions, created_at,
      min(coalesce(expires_at, ${end}), ${end}), revoked_at, last_used_at, ${now} from old where true`
  const written = await store
    .insert(apiKeys)
    .select(rows)
    .onConflictDoUpdate({
      target: apiKeys.keyHash,
      set: { expiresAt: sql`excluded.expires_at`, rotatedAt: sql`excluded.rotated_at` },
    })
    .returning(listed)
  const made = written.find((key) => key.keyId === twin.keyId)
  const old = written.find((key) => key.keyId === keyId)
  if (made !== undefined && old?.expiresAt) return { ok: true, twin: made, end: old.expiresAt }

  const [found] = await store
    .select(listed)
    .from(apiKeys)
    .where(and(isFor(organizationId), eq(apiKeys.keyId, keyId), isGood(now)))
  if (!found?.rotatedAt) return { ok: false, reason: 'unknown' }
  return { ok: false, reason: 'rotated', end: found.expiresAt ?? end }
}

function isGood(now: number) {
  return and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)))
}

function isFor(organizationId: string): SQL {
  return sql`exists (select 1 from json_each(${apiKeys.organizationIds}) where value = ${organizationId})`
}
