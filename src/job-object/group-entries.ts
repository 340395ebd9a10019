import { type EntryKind, keptCounts } from '../jobs/job.ts'
import type { HeldJob } from './held-job.ts'
import type { GroupsOfKind, GroupsReply } from './replies.ts'

/** The entries of a job by error type. Throws where they cannot be read. */
export async function groupEntries(held: HeldJob): Promise<GroupsReply> {
  return { ok: true, error: await groupKind(held, 'error'), warning: await groupKind(held, 'warning') }
}

async function groupKind(held: HeldJob, kind: EntryKind): Promise<GroupsOfKind> {
  const groups = await held.groups(kind)
  const named = groups.reduce((sum, { count }) => sum + count, 0)
  return { groups, others: keptCounts(held.job)[kind] - named }
}
