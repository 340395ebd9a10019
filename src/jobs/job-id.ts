import { MAX_JOB_ID } from './limits.ts'

const JOB_ID = new RegExp(`^[A-Za-z0-9_-]{1,${MAX_JOB_ID}}$`)

/** Makes a job's id from a UUID. With version 7 UUIDs, ids sort by creation time. */
export function jobIdOf(uuid: string): string {
  return `job_${uuid.replaceAll('-', '').toLowerCase()}`
}

/** Whether a string could be the id of a job. If not, it is refused without creating an object. */
export function isJobId(text: string): boolean {
  return JOB_ID.test(text)
}
