import { copyJobs } from './copy-jobs.ts'
import type { Ends } from './ends.ts'
import { findPage, findStates, type JobState, type Scope } from './job-states.ts'

const COUNTS = ['entries', 'groups', 'grouped', 'logs', 'replies'] as const

/**
 * Copies the jobs of an organization that `to` lacks. Safe to repeat, and beside writers of either database: a job lands
 * only over an older state of itself. Returns how many jobs were copied.
 *
 * Without `countsEntries`, jobs of the same revision are taken to have the same entries.
 */
export async function copyOrganization(ends: Ends, scope: Scope): Promise<number> {
  let copied = 0
  for (let after = ''; ; ) {
    const page = await findPage(ends.from, scope, after)
    const last = page.at(-1)
    if (last === undefined) return copied
    const there = await findStates(ends.to, scope, page)
    const lacking = page.filter((job) => isLacking(there.get(job.jobId), job))
    if (lacking.length > 0) await copyJobs(ends, scope.organizationId, lacking)
    copied += lacking.length
    after = last.jobId
  }
}

/**
 * Whether `to` lacks something of a job. It does not if its own state is newer or of another creation: the job's object
 * then records there already, and the object is right.
 */
function isLacking(there: JobState | undefined, here: JobState): boolean {
  if (there === undefined || there.epoch !== here.epoch) return (there?.epoch ?? -1) < here.epoch
  if (there.createdAt !== here.createdAt) return false
  if (there.revision !== here.revision) return there.revision < here.revision
  if (there.entries === here.entries && there.entryBytes !== here.entryBytes) return true
  // `to` may have more: entries that the old database lost and the job's object recorded again.
  return COUNTS.some((count) => there[count] < here[count])
}
