/** Wider than the ids made here: jobs imported from another system keep theirs. */
const JOB_ID = /^[A-Za-z0-9_-]{1,128}$/

/** Makes a job's id from a UUID; with version 7 UUIDs, ids sort by the time they were made. */
export function jobIdOf(uuid: string): string {
  return `job_${uuid.replaceAll('-', '').toLowerCase()}`
}

/** Whether a string could be the id of a job. For what could not, no object is made and nobody is asked. */
export function isJobId(text: string): boolean {
  return JOB_ID.test(text)
}
