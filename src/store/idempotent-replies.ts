import { and, eq, gt, sql } from 'drizzle-orm'
import type { JobKey } from '../jobs/job.ts'
import { upgradeJob } from '../jobs/job.ts'
import type { IdempotentReply } from '../jobs/keyed-request.ts'
import { idempotentReplies } from './schema.ts'
import type { Store } from './store.ts'

/** Stores some of the replies of a job that is being archived. Safe to repeat. Throws if D1 fails. */
export async function saveReplies(store: Store, key: JobKey, replies: IdempotentReply[]): Promise<void> {
  const rows = sql`
    select ${key.organizationId}, ${key.jobId}, value -> 'request' ->> 'key', value -> 'request' ->> 'fingerprint',
      value ->> 'asOf', iif(value ->> 'job' is null, null, value -> 'job')
    from json_each(${JSON.stringify(replies)}) where true`
  await store.insert(idempotentReplies).select(rows).onConflictDoNothing()
}

/** The reply to an earlier keyed report on an archived job; undefined if there was none. Throws if D1 fails. */
export async function findReply(
  store: Store,
  key: JobKey,
  requestKey: string,
): Promise<IdempotentReply | undefined> {
  const [row] = await store
    .select()
    .from(idempotentReplies)
    .where(and(ofJob(key), eq(idempotentReplies.requestKey, requestKey)))
  if (row === undefined) return undefined
  return {
    request: { key: row.requestKey, fingerprint: row.fingerprint },
    asOf: row.asOf,
    job: row.job === null ? null : upgradeJob(row.job),
  }
}

/** The number of a job's replies in D1 given after `since`, in ms since the epoch. Throws if D1 fails. */
export async function countReplies(store: Store, key: JobKey, since: number): Promise<number> {
  const [counted] = await store
    .select({ count: sql<number>`count(*)` })
    .from(idempotentReplies)
    .where(and(ofJob(key), gt(idempotentReplies.asOf, since)))
  return counted?.count ?? 0
}

function ofJob({ organizationId, jobId }: JobKey) {
  return and(eq(idempotentReplies.organizationId, organizationId), eq(idempotentReplies.jobId, jobId))
}
