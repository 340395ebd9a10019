import { and, desc, eq, getTableColumns, gt, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import type { Placement } from '../jobs/placement.ts'
import { apiKeys, organizations } from './schema.ts'
import type { AnyStore } from './store.ts'

/** How precisely the last use of a key is recorded, in ms: each key costs at most one write per interval. */
const USE_INTERVAL = 60 * 60 * 1_000

type ApiKey = typeof apiKeys.$inferSelect

/** The parts of a key that may be shown. */
export type ListedApiKey = Omit<ApiKey, 'keyHash'>

/** A key to be stored. */
type NewApiKey = Omit<ApiKey, 'revokedAt' | 'lastUsedAt' | 'rotatedAt'>

const { keyHash: _, ...listed } = getTableColumns(apiKeys)

/** Stores a new key. Safe to repeat. */
export async function insertApiKey(store: AnyStore, key: NewApiKey): Promise<void> {
  await store.insert(apiKeys).values(key).onConflictDoNothing({ target: apiKeys.keyHash })
}

/** A key with the placements of its organizations: of those that have one. */
export type PlacedApiKey = ApiKey & { placements: Record<string, Placement> }

/**
 * The key with this hash, even if revoked or expired. Takes no organization, because the hash itself is the credential.
 */
export async function findApiKey(store: AnyStore, keyHash: string): Promise<PlacedApiKey | undefined> {
  const { organizationId, database, version } = organizations
  const placements = sql<string>`(
    select json_group_object(${organizationId}, json_object('database', ${database}, 'version', ${version}))
    from json_each(${apiKeys.organizationIds}) join ${organizations} on ${organizationId} = value)`
  const [found] = await store
    .select({ key: getTableColumns(apiKeys), placements })
    .from(apiKeys)
    .where(eq(apiKeys.keyHash, keyHash))
  return found && { ...found.key, placements: JSON.parse(found.placements) }
}

/** Records that a key is in use, unless it is no longer valid or this was recorded within the last hour. */
export async function noteUse(store: AnyStore, key: ApiKey, now: number): Promise<void> {
  if (key.lastUsedAt !== null && now - key.lastUsedAt < USE_INTERVAL) return
  if (key.revokedAt !== null || (key.expiresAt !== null && now >= key.expiresAt)) return
  await store
    .update(apiKeys)
    .set({ lastUsedAt: now })
    .where(
      and(
        eq(apiKeys.keyHash, key.keyHash),
        // Another isolate may have recorded it at the same time.
        or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, now - USE_INTERVAL)),
      ),
    )
}

/** The organization's keys, newest first, without anything secret. */
export async function listApiKeys(store: AnyStore, organizationId: string): Promise<ListedApiKey[]> {
  return await store
    .select(listed)
    .from(apiKeys)
    .where(belongsTo(organizationId))
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.keyId))
}

/** Revokes a key; one already revoked keeps its time. False if the organization has no such key. */
export async function revokeApiKey(
  store: AnyStore,
  organizationId: string,
  keyId: string,
  now: number,
): Promise<boolean> {
  const revoked = await store
    .update(apiKeys)
    .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, ${now})` })
    .where(and(belongsTo(organizationId), eq(apiKeys.keyId, keyId)))
    .returning({ keyId: apiKeys.keyId })
  return revoked.length > 0
}

/** The key that replaces a rotated one, with the same permissions. */
interface Twin {
  keyHash: string
  keyId: string
  /** In ms since the epoch; null: when the old key would have expired. */
  expiresAt: number | null
}

type Rotation =
  | { ok: true; twin: ListedApiKey; end: number }
  /** The organization has no such key, or it is no longer valid. */
  | { ok: false; reason: 'unknown' }
  /** It was rotated before and is valid until `end`, in ms since the epoch. */
  | { ok: false; reason: 'rotated'; end: number }

/**
 * Issues a twin of a key. The old key then expires at `end` (ms since the epoch), or earlier if it would have anyway.
 * This is a single statement because every driver runs one atomically: a twin never exists beside a key without an end.
 */
export async function rotateApiKey(
  store: AnyStore,
  organizationId: string,
  keyId: string,
  twin: Twin,
  now: number,
  end: number,
): Promise<Rotation> {
  // Columns in the order of the table. The twin is inserted; the old key exists, so it is updated.
  const rows = sql`
    with old as (select * from ${apiKeys} where ${belongsTo(organizationId)} and ${apiKeys.keyId} = ${keyId}
      and ${isValid(now)} and ${apiKeys.rotatedAt} is null)
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
    .where(and(belongsTo(organizationId), eq(apiKeys.keyId, keyId), isValid(now)))
  if (!found?.rotatedAt) return { ok: false, reason: 'unknown' }
  return { ok: false, reason: 'rotated', end: found.expiresAt ?? end }
}

function isValid(now: number) {
  return and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)))
}

function belongsTo(organizationId: string): SQL {
  return sql`exists (select 1 from json_each(${apiKeys.organizationIds}) where value = ${organizationId})`
}
