import { and, desc, eq, sql } from 'drizzle-orm'
import type { JobKey, JobStatus } from '../jobs/job.ts'
import { MAX_COUNTED, MAX_LINKED } from '../jobs/limits.ts'
import { linkTerm } from './job-terms.ts'
import { jobs, jobTerms } from './schema.ts'
import type { Store } from './store.ts'

/** Children of one status, and the sums of their items. */
interface ChildrenOfStatus {
  status: JobStatus
  count: number
  totalItems: number
  processedItems: number
  failedItems: number
}

/** A job that names another as the import that it came from. */
interface LinkedJob {
  jobId: string
  jobType: string
  status: JobStatus
}

export interface Relatives {
  /** At most `MAX_COUNTED` of them, the newest. */
  children: ChildrenOfStatus[]
  hasMoreChildren: boolean
  /** The newest. */
  linkedFrom: LinkedJob[]
}

/**
 * The children of a job, and the jobs whose metadata names it as `import_job_id`. Reads as many rows as it counts, whatever
 * else the organization has. Throws if D1 fails.
 */
export async function findRelatives(store: Store, { organizationId, jobId }: JobKey): Promise<Relatives> {
  const isChild = and(eq(jobs.organizationId, organizationId), eq(jobs.parentJobId, jobId))
  const { status, totalItems, processedItems, failedItems, createdAt, jobType } = jobs
  const child = store
    .select({ status, totalItems, processedItems, failedItems })
    .from(jobs)
    .where(isChild)
    .orderBy(desc(createdAt), desc(jobs.jobId))
    .limit(MAX_COUNTED)
    .as('child')
  const isLink = and(
    eq(jobTerms.organizationId, organizationId),
    eq(jobTerms.term, linkTerm('import_job_id', jobId)),
  )
  const [children, [more], linkedFrom] = await store.batch([
    store
      .select({
        status: child.status,
        count: sql<number>`count(*)`.as('count'),
        // `sum` fails beyond 2^63.
        totalItems: sql<number>`total(${child.totalItems})`.as('total'),
        processedItems: sql<number>`total(${child.processedItems})`.as('processed'),
        failedItems: sql<number>`total(${child.failedItems})`.as('failed'),
      })
      .from(child)
      .groupBy(child.status),
    store.select({ jobId: jobs.jobId }).from(jobs).where(isChild).limit(1).offset(MAX_COUNTED),
    store
      .select({ jobId: jobs.jobId, jobType, status })
      .from(jobTerms)
      // SQLite never reorders a cross join: it goes from the terms to the jobs.
      .crossJoin(jobs)
      .where(
        and(
          isLink,
          eq(jobs.organizationId, jobTerms.organizationId),
          eq(jobs.jobId, jobTerms.jobId),
          // The case of a term does not matter, but that of an id does.
          sql`${jobs.metadata} ->> 'import_job_id' = ${jobId}`,
        ),
      )
      .orderBy(desc(jobTerms.createdAt), desc(jobTerms.jobId))
      .limit(MAX_LINKED),
  ])
  return { children, hasMoreChildren: more !== undefined, linkedFrom }
}
