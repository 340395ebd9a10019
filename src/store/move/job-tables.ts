import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { getTableConfig, type SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { idempotentReplies, jobEntries, jobEntryGroups, jobLogs, type jobs } from '../schema.ts'
import type { AnyStore } from '../store.ts'

/** The most that one page carries. D1 takes values of up to 2 MB, and a character may take several bytes of JSON. */
export const PAGE_ROWS = 500
export const PAGE_BYTES = 400_000

/** The tables of what belongs to a job. */
export const PARTS = [jobEntries, jobEntryGroups, jobLogs, idempotentReplies] as const
export type Part = (typeof PARTS)[number]
export type JobTable = typeof jobs | Part

/** The primary key of a table after the organization: `job_id`, and what else there is. */
export function keyOf(table: JobTable): SQLiteColumn[] {
  return getTableConfig(table)
    .primaryKeys.flatMap(({ columns }) => columns)
    .filter((column) => column !== table.organizationId)
}

/** A row as a JSON array. */
export function rowOf(table: JobTable): SQL<string> {
  return jsonArray(Object.values(getTableColumns(table)))
}

export function jsonArray(columns: SQLiteColumn[]): SQL<string> {
  return sql<string>`json_array(${list(columns)})`
}

/** A column of the row that `json_each` is at: see `upsertRows`. */
export function sentColumn(table: JobTable, column: SQLiteColumn): SQL {
  return sql.raw(`value ->> ${Object.values(getTableColumns(table)).indexOf(column)}`)
}

/** Writes rows of `rowOf` over those with the same keys. `which` chooses among the rows, `over` among the stored ones. */
export async function upsertRows(
  store: AnyStore,
  table: JobTable,
  rows: string[],
  { which, over }: { which?: SQL; over?: SQL },
): Promise<void> {
  const columns = getTableColumns(table)
  const sent = list(Object.values(columns).map((column) => sentColumn(table, column)))
  const excluded = Object.entries(columns).map(([name, column]) => [name, sql.raw(`excluded.${column.name}`)])
  await store
    .insert(table)
    .select(sql`select ${sent} from json_each(${`[${rows.join()}]`}) where ${which ?? sql`true`}`)
    .onConflictDoUpdate({
      target: [table.organizationId, ...keyOf(table)],
      set: Object.fromEntries(excluded),
      ...(over && { setWhere: over }),
    })
}

export function list(parts: (SQL | SQLiteColumn)[]): SQL {
  return sql.join(parts, sql`, `)
}
