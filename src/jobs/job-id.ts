/** Wider than the ids made here, because jobs imported from another system keep theirs. */
const JOB_ID = /^[A-Za-z0-9_-]{1,128}$/

/** Makes a job's id from a UUID. With version 7 UUIDs, ids sort by creation time. */
export function jobIdOf(uuid: string): string {
  return `job_${uuid.replaceAll('-', '').toLowerCase()}`
}

/** Whether a string could be the id of a job. If not, it is refused without creating an object. */
export function isJobId(text: string): boolean {
  return JOB_ID.test(text)
}
