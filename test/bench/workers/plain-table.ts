import type { PlainJob } from './plain-job.ts'

/** Creates and fills the alternatives' table, in D1 and in SQLite alike. The jobs are `job-0`, `job-1`, … */
export const CREATE_TABLE =
  'create table jobs (job_id text primary key, status text not null, stage text, processed_items integer not null, total_items integer not null, updated_at integer not null)'

/** Takes the number of jobs. */
export const FILL_TABLE = `
  with recursive number(n) as (select 0 union all select n + 1 from number where n + 1 < ?1)
  insert into jobs select 'job-' || n, 'pending', null, 0, 10000000, 0 from number`

/** Takes the job's id. */
export const READ_JOB = 'select * from jobs where job_id = ?1'

/** Takes the values of `updateValues`. */
export const UPDATE_JOB =
  'update jobs set status = ?2, stage = ?3, processed_items = ?4, updated_at = ?5 where job_id = ?1'

export function updateValues(job: PlainJob): [string, string, string | null, number, number] {
  return [job.job_id, job.status, job.stage, job.processed_items, job.updated_at]
}
