/** `job_` and 32 hexadecimal digits: the only ids that a look-up is made for. */
const JOB_ID = /^job_[0-9a-f]{32}$/

/** Makes a job's id of a UUID; of a version 7 UUID, ids sort by the time they were made. */
export function jobIdOf(uuid: string): string {
  return `job_${uuid.replaceAll('-', '').toLowerCase()}`
}

/** Whether a string could be the id of a job. What could not is unknown without asking anyone. */
export function isJobId(text: string): boolean {
  return JOB_ID.test(text)
}
