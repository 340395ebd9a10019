import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm'
import { type EntryPage, type FoundEntries, scanLimit } from '../jobs/entry-page.ts'
import type { EntryKind, JobKey } from '../jobs/job.ts'
import { MAX_PAGE_BYTES, SHOWN_ENTRIES, SHOWN_ENTRY_BYTES } from '../jobs/limits.ts'
import type { SizedEntry } from '../jobs/recent-entries.ts'
import { jobEntries, jobs } from './schema.ts'
import type { Store } from './store.ts'

const errorType = sql<string>`${jobEntries.text} ->> 'error_type'`
/** SQLite takes this from the row's header, without reading the text's overflow pages. */
const bytes = sql<number>`octet_length(${jobEntries.text})`

/** An entry that its job counts. A replaced object may have left others. */
export const isKept = sql`${jobEntries.seq} <=
  case ${jobEntries.kind} when 'error' then ${jobs.keptErrors} else ${jobs.keptWarnings} end`

/** One page of the `kept` entries of a kind. Throws if D1 fails. */
export async function findEntries(
  store: Store,
  key: JobKey,
  page: EntryPage,
  kept: number,
): Promise<FoundEntries> {
  const { kind, seq, text } = jobEntries
  const next = store
    .select({ seq, bytes: bytes.as('bytes') })
    .from(jobEntries)
    .where(and(ofKind(key, page.kind), gt(seq, page.after), lte(seq, kept)))
    .orderBy(asc(seq))
    .limit(scanLimit(page))
    .as('next')
  const before = sql<number>`sum(${next.bytes}) over (order by ${next.seq}) - ${next.bytes}`
  const sized = store
    .select({ seq: next.seq, before: before.as('before') })
    .from(next)
    .as('sized')
  const lookedAt = store.select({ seq: sized.seq }).from(sized).where(lt(sized.before, MAX_PAGE_BYTES))
  const isOfType = page.errorType === null ? undefined : eq(errorType, page.errorType)
  const [entries, [last]] = await store.batch([
    store
      .select({ kind, seq, text })
      .from(jobEntries)
      .where(and(ofKind(key, page.kind), sql`${seq} in ${lookedAt}`, isOfType))
      .orderBy(asc(seq))
      .limit(page.limit),
    store.select({ seq: sql<number | null>`max(seq)` }).from(lookedAt.as('looked_at')),
  ])
  const isFull = entries.length === page.limit
  return { entries, reached: (isFull ? entries.at(-1)?.seq : last?.seq) ?? kept }
}

/** The newest of the `kept` entries of a kind, as many as a reply shows, oldest first. Throws if D1 fails. */
export async function findRecentEntries(
  store: Store,
  key: JobKey,
  kind: EntryKind,
  kept: number,
): Promise<SizedEntry[]> {
  if (kept === 0) return []
  const { seq, text } = jobEntries
  const newest = store
    .select({ seq, total: sql<number>`sum(${bytes}) over (order by ${seq} desc)`.as('total') })
    .from(jobEntries)
    .where(and(ofKind(key, kind), gt(seq, kept - SHOWN_ENTRIES), lte(seq, kept)))
    .as('newest')
  const fitting = store.select({ seq: newest.seq }).from(newest).where(lte(newest.total, SHOWN_ENTRY_BYTES))
  const found = await store
    .select({ text, bytes })
    .from(jobEntries)
    .where(and(ofKind(key, kind), sql`${seq} in ${fitting}`))
    .orderBy(desc(seq))
  return found.reverse()
}

/** The number and bytes of a kind's entries with `after < seq <= last`. Throws if D1 fails. */
export async function measureEntries(
  store: Store,
  key: JobKey,
  kind: EntryKind,
  { after, last }: { after: number; last: number },
): Promise<{ count: number; bytes: number }> {
  const { seq } = jobEntries
  const [measured] = await store
    .select({ count: sql<number>`count(*)`, bytes: sql<number>`coalesce(sum(${bytes}), 0)` })
    .from(jobEntries)
    .where(and(ofKind(key, kind), gt(seq, after), lte(seq, last)))
  return measured ?? { count: 0, bytes: 0 }
}

function ofKind(key: JobKey, kind: EntryKind) {
  return and(
    eq(jobEntries.organizationId, key.organizationId),
    eq(jobEntries.jobId, key.jobId),
    eq(jobEntries.kind, kind),
  )
}
