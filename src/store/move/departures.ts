import { and, eq, lt } from 'drizzle-orm'
import type { Placement } from '../../jobs/placement.ts'
import { departures } from '../schema.ts'
import type { AnyStore } from '../store.ts'

/**
 * Closes a database to an organization: from here on, triggers skip its rows, and its writers are told where it went.
 * Another run of the same move may have done so, and more.
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

/** Notes that the other database has everything, so objects may load jobs from there. */
export async function markWhole(store: AnyStore, organizationId: string, version: number): Promise<void> {
  await store
    .update(departures)
    .set({ isWhole: true })
    .where(and(eq(departures.organizationId, organizationId), eq(departures.version, version)))
}

/** Opens a database to an organization that may have left it before. */
export async function openDatabase(store: AnyStore, organizationId: string): Promise<void> {
  await store.delete(departures).where(eq(departures.organizationId, organizationId))
}
