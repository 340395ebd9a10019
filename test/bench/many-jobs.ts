import { BenchOrganization, type Edge } from './bench-organization.ts'

/** Creates an organization with that many jobs in D1. Returns the headers for its requests. */
export async function fillList(edge: Edge, count: number): Promise<Record<string, string>> {
  const organizationId = `bench-with-${count}-jobs`
  const d1 = await edge.d1()
  await d1.prepare(INSERT).bind(organizationId, count).run()
  return (await BenchOrganization.open(edge, organizationId)).headers
}

/** Has D1 itself generate jobs, one a minute, with several statuses, types and triggers. */
const INSERT = `
  with recursive number(n) as (select 1 union all select n + 1 from number where n < ?2)
  insert into jobs (organization_id, job_id, job_type, status, total_items, processed_items, failed_items, warned_items,
    error_count, warning_count, kept_errors, kept_warnings, metadata, triggered_by, created_at, started_at,
    completed_at, updated_at, stages, pace, attempts, revision)
  select ?1, printf('job_%032x', n), case n % 3 when 0 then 'crawl' else 'import' end,
    case n % 50 when 0 then 'failed' when 1 then 'in_progress' else 'completed' end, 100, 100, 0, 0, 0, 0, 0, 0, '{}',
    'user-' || (n % 20), 1790000000000 + n * 60000, 1790000000000 + n * 60000,
    case n % 50 when 1 then null else 1790000060000 + n * 60000 end, 1790000060000 + n * 60000, '[]', '[]', '[]', 5
  from number`
