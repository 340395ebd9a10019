import { and, eq, sql } from 'drizzle-orm'
import type { PackedHistory } from '../jobs/history.ts'
import type { JobKey } from '../jobs/job.ts'
import type { LogLine } from '../jobs/log-line.ts'
import { jobLogs } from './schema.ts'
import type { Store } from './store.ts'

/** What a job leaves behind besides its entries: its newest messages, and how it went. */
export interface JobLog {
  messages: LogLine[]
  history: PackedHistory
}

/** The log of a job in D1; undefined if it has none. Throws if D1 fails. */
export async function findLog(store: Store, key: JobKey): Promise<JobLog | undefined> {
  const { messages, history } = jobLogs
  const [row] = await store.select({ messages, history }).from(jobLogs).where(ofJob(key))
  return row
}

/** Stores the log of a job, and returns what D1 has then. Safe to repeat. Throws if D1 fails. */
export async function saveLog(store: Store, key: JobKey, log: JobLog): Promise<JobLog | undefined> {
  const { organizationId, jobId, messages, history } = jobLogs
  const { organizationId: organization, jobId: job } = key
  const [, [row]] = await store.batch([
    store
      .insert(jobLogs)
      .values({ organizationId: organization, jobId: job, ...log })
      .onConflictDoUpdate({
        target: [organizationId, jobId],
        set: { messages: sql`excluded.messages`, history: sql`excluded.history` },
      }),
    store.select({ messages, history }).from(jobLogs).where(ofJob(key)),
  ])
  return row
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(jobLogs.organizationId, organizationId), eq(jobLogs.jobId, jobId))
}
