import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { jobs } from './schema.ts'

const COLUMNS = getTableColumns(jobs)

/**
 * The fence of every write of a job: the stored job is older than the one whose columns `of` returns. A state of the same
 * epoch but of another creation never lands: two objects may have created the job.
 */
export function isOlderThan(of: (column: 'epoch' | 'revision' | 'createdAt') => SQL): SQL {
  return sql`(${jobs.epoch} < ${of('epoch')} or (${jobs.epoch} = ${of('epoch')}
    and ${jobs.revision} < ${of('revision')} and ${jobs.createdAt} = ${of('createdAt')}))`
}

/** A column of the job that an upsert would have inserted. */
export function excluded(column: keyof typeof COLUMNS): SQL {
  return sql.raw(`excluded.${COLUMNS[column].name}`)
}
