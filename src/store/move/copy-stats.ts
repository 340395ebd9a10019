import { and, eq, gt, sql } from 'drizzle-orm'
import { jobStats } from '../schema.ts'
import type { Ends } from './ends.ts'
import { PAGE_BYTES, PAGE_ROWS } from './job-tables.ts'

/**
 * Carries the counts of jobs that are no longer there: `to` has counted those that were copied. Safe to repeat. `from` must be
 * closed.
 */
export async function copyStats({ from, to }: Ends, organizationId: string): Promise<void> {
  const { hour, jobType, status, deleted } = jobStats
  const key = sql`${hour}, ${jobType}, ${status}`
  for (let after: string | undefined; ; ) {
    const place = sql`(${after} ->> 0, ${after} ->> 1, ${after} ->> 2)`
    const next = from
      .select({ row: sql<string>`json_array(${key}, ${deleted})`.as('row') })
      .from(jobStats)
      .where(
        and(
          eq(jobStats.organizationId, organizationId),
          gt(deleted, 0),
          after === undefined ? undefined : sql`(${key}) > ${place}`,
        ),
      )
      .orderBy(hour, jobType, status)
      .limit(PAGE_ROWS)
      .as('next')
    const before = sql`sum(octet_length(${next.row})) over (rows unbounded preceding) - octet_length(${next.row})`
    const sized = from
      .select({ row: next.row, before: before.as('before') })
      .from(next)
      .as('sized')
    const page = await from.select({ row: sized.row }).from(sized).where(sql`${sized.before} < ${PAGE_BYTES}`)
    if (page.length === 0) return
    await to
      .insert(jobStats)
      .select(
        sql`select ${organizationId}, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3, value ->> 3
          from json_each(${`[${page.map(({ row }) => row).join()}]`}) where true`,
      )
      .onConflictDoUpdate({
        target: [jobStats.organizationId, hour, jobType, status],
        set: {
          jobs: sql`${jobStats.jobs} + excluded.carried - ${jobStats.carried}`,
          deleted: sql`${deleted} + excluded.carried - ${jobStats.carried}`,
          carried: sql`excluded.carried`,
        },
        // A run that slept may have read less.
        setWhere: sql`excluded.carried > ${jobStats.carried}`,
      })
    after = page.at(-1)?.row
  }
}
