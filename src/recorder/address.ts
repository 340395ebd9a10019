import type { Env } from '../env.ts'
import type { JobKey } from '../jobs/job.ts'
import type { RecorderObject } from './recorder-object.ts'

/** What job objects ask of a recorder. */
export type RecorderCalls = Pick<RecorderObject, 'record'>

/**
 * The recorder of a job: one of so many before a database. Which one follows from the job alone, so all its records in that
 * database go through the same.
 */
export function recorderOf(
  env: Pick<Env, 'RECORDERS' | 'RECORDER_LOCATION_HINT'>,
  database: string,
  recorders: number,
  { organizationId, jobId }: JobKey,
): RecorderCalls {
  const shard = hash(`${organizationId}/${jobId}`) % recorders
  const hint = env.RECORDER_LOCATION_HINT as DurableObjectLocationHint | undefined
  const options = hint ? { locationHint: hint } : {}
  return env.RECORDERS.getByName(`${database}/${shard}`, options) as unknown as RecorderCalls
}

/** FNV-1a: spreads evenly, and is the same everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}
