import { and, eq, lt, lte } from 'drizzle-orm'
import type { Placement } from '../../jobs/placement.ts'
import { departures } from '../schema.ts'
import type { AnyStore } from '../store.ts'

/**
 * Closes a database to an organization: triggers now skip its rows, and writers find out where it went. Changes nothing
 * if another run of the same move has done so.
 */
export async function closeDatabase(
  store: AnyStore,
  organizationId: string,
  { database, version }: Placement,
): Promise<void> {
  await store
    .insert(departures)
    .values({ organizationId, database, version, isWhole: false })
    .onConflictDoUpdate({
      target: departures.organizationId,
      set: { database, version, isWhole: false },
      setWhere: lt(departures.version, version),
    })
}

/** Notes that the other database has everything. Objects may now load jobs from there. */
export async function markWhole(store: AnyStore, organizationId: string, version: number): Promise<void> {
  await store
    .update(departures)
    .set({ isWhole: true })
    .where(and(eq(departures.organizationId, organizationId), eq(departures.version, version)))
}

/** Opens a database to an organization that left it with this version or before. */
export async function openDatabase(store: AnyStore, organizationId: string, version: number): Promise<void> {
  await store
    .delete(departures)
    .where(and(eq(departures.organizationId, organizationId), lte(departures.version, version)))
}

/**
 * Whether two bindings are one database: a copied block of wrangler.toml may still have the old name or id. Clearing the
 * old database would then delete everything.
 */
export async function isSameDatabase(one: AnyStore, other: AnyStore): Promise<boolean> {
  // No organization has a space in its id.
  const organizationId = `probe ${crypto.randomUUID()}`
  const isProbe = eq(departures.organizationId, organizationId)
  await one.insert(departures).values({ organizationId, database: '', version: 0, isWhole: false })
  try {
    return (await other.select().from(departures).where(isProbe)).length > 0
  } finally {
    await one.delete(departures).where(isProbe)
  }
}
