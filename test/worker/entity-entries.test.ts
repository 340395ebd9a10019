import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { entryText } from '../../src/jobs/entry-text.ts'
import type { EntryKind } from '../../src/jobs/job.ts'
import { deleteOldJobs } from '../../src/store/delete-old-jobs.ts'
import { type EntityPlace, findEntityEntries } from '../../src/store/find-entity-entries.ts'
import { openStore } from '../../src/store/store.ts'
import { aJob } from '../unit/fixtures.ts'
import { aJobKey, anError, store } from './fixtures.ts'
import { recordJob } from './record-job.ts'

const START = 1_800_000_000_000
const SKU = { entityType: 'product', entityKey: 'sku/1 ü' }

interface Reported {
  kind: EntryKind
  key?: string
  at: number
  message?: string
}

/** Records a job with these entries, in order. */
async function recorded(organizationId: string, reported: Reported[], job: object = {}) {
  const { jobId } = aJobKey()
  const seqs = { error: 0, warning: 0 }
  const entries = reported.map(({ kind, key = SKU.entityKey, at, message = 'no' }) => ({
    kind,
    seq: ++seqs[kind],
    text: entryText({ ...anError(key), message }, at),
  }))
  const kept = { keptErrors: seqs.error, keptWarnings: seqs.warning }
  const key = { organizationId, jobId }
  const row = aJob({ jobId, jobType: 'import', revision: 1, ...kept, ...job })
  await recordJob(store, { key, job: row, entries, unfinished: false, onlyProgress: false })
  return jobId
}

/** All pages about the entity, from the newest entry. */
async function walk(organizationId: string, { limit = 200, bytes = 1_000_000 } = {}) {
  const pages: EntityPlace[][] = []
  for (let after: EntityPlace | undefined; ; ) {
    const { entries, hasMore } = await findEntityEntries(store, organizationId, {
      ...SKU,
      after,
      limit,
      bytes,
    })
    pages.push(entries.map(({ at, jobId, kind, seq }) => ({ at, jobId, kind, seq })))
    if (!hasMore) return pages
    after = pages.at(-1)?.at(-1)
    expect(after).toBeDefined()
  }
}

test('the entries about an entity come newest first, from all jobs of the organization, in pages of any size', async () => {
  const { organizationId } = aJobKey()
  await recorded(aJobKey().organizationId, [{ kind: 'error', at: START }])
  const all: EntityPlace[] = []
  for (let n = 0; n < 6; n++) {
    // Three jobs share each time, and each has several entries in it.
    const at = START + (n % 2) * 1_000
    const other = { key: 'other', at }
    const kinds: EntryKind[] = ['error', 'warning', 'error']
    const jobId = await recorded(organizationId, [
      { kind: 'error', ...other },
      ...kinds.map((kind) => ({ kind, at })),
    ])
    const place = { at: new Date(at).toISOString(), jobId }
    all.push({ ...place, kind: 'error', seq: 2 }, { ...place, kind: 'error', seq: 3 })
    all.push({ ...place, kind: 'warning', seq: 1 })
  }
  const order = ({ at, jobId, kind, seq }: EntityPlace) => `${at} ${jobId} ${kind} ${seq}`
  const expected = all.toSorted((a, b) => (order(a) < order(b) ? 1 : -1))
  expect((await walk(organizationId)).flat()).toEqual(expected)
  for (const limit of [1, 4, 17, 18]) {
    const pages = await walk(organizationId, { limit })
    expect(pages).toHaveLength(Math.ceil(18 / limit))
    expect(pages.flat()).toEqual(expected)
  }
})

test('a page ends with the entry that makes it large enough', async () => {
  const { organizationId } = aJobKey()
  const message = 'x'.repeat(10_000)
  const reported = Array.from({ length: 5 }, (_, n) => ({ kind: 'error' as const, at: START + n, message }))
  await recorded(organizationId, reported)
  expect((await walk(organizationId, { bytes: 15_000 })).map((page) => page.length)).toEqual([2, 2, 1])
  expect((await walk(organizationId, { bytes: 1 })).map((page) => page.length)).toEqual([1, 1, 1, 1, 1])
})

test('entries that their job does not count, or whose job has been deleted, are not among them', async () => {
  const { organizationId } = aJobKey()
  await recorded(organizationId, [{ kind: 'error', at: START }], { keptErrors: 0 })
  await recorded(organizationId, [{ kind: 'error', at: START }], { status: 'failed', completedAt: 1 })
  expect((await walk(organizationId)).flat()).toHaveLength(1)
  await deleteOldJobs(store, 2, 10)
  expect((await walk(organizationId)).flat()).toEqual([])
})

test('they are found in an index, in order, from the first page and from a cursor', async () => {
  const { organizationId } = aJobKey()
  const at = new Date(START).toISOString()
  for (const after of [undefined, { at, jobId: 'job_1', kind: 'error' as const, seq: 1 }]) {
    const steps = await explain(organizationId, after)
    const searches = steps.filter((detail) => /\bjob(s|_entries)\b/.test(detail))
    const bound = after ? ' AND <expr><?' : ''
    expect(searches).toEqual([
      'SEARCH job_entries USING INDEX job_entries_by_entity ' +
        `(organization_id=? AND <expr>=? AND <expr>=?${bound})`,
      'SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (organization_id=? AND job_id=?)',
      'SEARCH job_entries USING PRIMARY KEY (organization_id=? AND job_id=? AND kind=? AND seq=?) LEFT-JOIN',
    ])
    // The index is in order: only what is found is sorted, once more.
    expect(steps.filter((detail) => detail.includes('TEMP B-TREE'))).toEqual([steps.at(-1)])
  }
})

test('a page reads as many rows beside no other entries as beside 20,000', async () => {
  const costs: number[] = []
  for (const count of [10, 20_000]) {
    const { organizationId } = aJobKey()
    const jobId = await recorded(organizationId, [], { keptErrors: count })
    await env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < ?3)
       insert into job_entries select ?1, ?2, 'error', i, json_object('entity_type', 'product',
         'entity_key', iif(i <= 10, ?4, 'sku-' || i), 'timestamp', printf('2027-01-15T%06d', i)) from n`,
    )
      .bind(organizationId, jobId, count, SKU.entityKey)
      .run()
    const query = { ...SKU, limit: 5, bytes: 1_000_000 }
    const { rowsRead, result } = await counted(organizationId, query)
    expect(result.entries).toHaveLength(5)
    costs.push(rowsRead)
  }
  const [few = 0, many = 0] = costs
  expect(Math.abs(many - few)).toBeLessThan(3)
  expect(many).toBeLessThan(60)
})

/** What a query does to D1, through a store that keeps its statements. */
function spied() {
  const statements: { sql: string; params: unknown[] }[] = []
  const prepare = (sql: string) => ({
    bind: (...params: unknown[]) => {
      statements.push({ sql, params })
      return env.DB.prepare(sql).bind(...params)
    },
  })
  return { statements, spy: openStore({ prepare } as unknown as D1Database) }
}

async function counted(organizationId: string, query: Parameters<typeof findEntityEntries>[2]) {
  const { statements, spy } = spied()
  const result = await findEntityEntries(spy, organizationId, query)
  expect(statements).toHaveLength(1)
  const [{ sql, params } = { sql: '', params: [] }] = statements
  const { meta } = await env.DB.prepare(sql)
    .bind(...params)
    .run()
  return { result, rowsRead: meta.rows_read }
}

async function explain(organizationId: string, after: EntityPlace | undefined): Promise<string[]> {
  const { statements, spy } = spied()
  await findEntityEntries(spy, organizationId, { ...SKU, after, limit: 50, bytes: 1_000_000 })
  const [{ sql, params } = { sql: '', params: [] }] = statements
  const { results } = await env.DB.prepare(`explain query plan ${sql}`)
    .bind(...params)
    .run<{ detail: string }>()
  return results.map(({ detail }) => detail)
}
