const TABLES = [
  'jobs',
  'job_entries',
  'job_entry_groups',
  'job_logs',
  'idempotent_replies',
  'job_terms',
  'error_type_hours',
]

/** Every row that a database has of the jobs of an organization, by table, in order. */
export async function rowsOf(
  database: D1Database,
  organizationId: string,
): Promise<Record<string, unknown[]>> {
  const select = (table: string) =>
    database
      .prepare(`select * from ${table} where organization_id = ? order by 1, 2, 3, 4`)
      .bind(organizationId)
  const results = await database.batch(TABLES.map(select))
  return Object.fromEntries(TABLES.map((table, at) => [table, results[at]?.results ?? []]))
}

export const NO_ROWS: Record<string, unknown[]> = Object.fromEntries(TABLES.map((table) => [table, []]))
