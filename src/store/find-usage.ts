import { eq } from 'drizzle-orm'
import type { Usage } from '../jobs/usage.ts'
import { organizationUsage } from './schema.ts'
import type { Store } from './store.ts'

/** What the organization has in D1. Throws if D1 fails. */
export async function findUsage(store: Store, organizationId: string): Promise<Usage> {
  const { liveJobs, jobs, entryBytes } = organizationUsage
  const [row] = await store
    .select({ liveJobs, jobs, entryBytes })
    .from(organizationUsage)
    .where(eq(organizationUsage.organizationId, organizationId))
  return row ?? { liveJobs: 0, jobs: 0, entryBytes: 0 }
}
