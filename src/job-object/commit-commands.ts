import type { JobSnapshot } from '../jobs/job.ts'
import type { Change } from '../jobs/outcome.ts'
import { withAppended } from '../jobs/recent-entries.ts'
import type { Retry } from '../jobs/retry.ts'
import type { Journal, Journaled } from './journal.ts'
import { type JobReply, shown } from './replies.ts'

/** A change that was asked for, and by which key, if any, it can be asked for again. */
export interface Command {
  change: Change
  retry: Retry | null
}

/** What a group of commands made of a job, and what each of them is answered. */
export interface Committed {
  snapshot: JobSnapshot
  replies: JobReply[]
}

/**
 * Journals a group of commands in one transaction, in their order, each on what the one before left. There is no `await`
 * in it: no other request comes between. Throws where the journal does not take them, and then nothing has changed.
 */
export function commitCommands(
  journal: Journal,
  held: Journaled,
  commands: Command[],
  now: number,
): Committed {
  let snapshot: JobSnapshot = held
  const standingOf = (entityType: string, entityKey: string) =>
    journal.entries.standingOf(entityType, entityKey)

  const answer = ({ change, retry }: Command): JobReply => {
    const replay = retry === null ? undefined : journal.answers.replay(retry, now)
    if (replay !== undefined) return replay
    const { job, errors, warnings } = snapshot
    const outcome = change(job, now, standingOf)
    if (!outcome.ok) return outcome
    if (retry !== null) journal.answers.keep({ retry, asOf: now, job: outcome.job })
    if (outcome.job !== job) {
      journal.entries.append(outcome.entries, outcome.standings)
      snapshot = {
        job: outcome.job,
        errors: withAppended(errors, outcome.entries, 'error'),
        warnings: withAppended(warnings, outcome.entries, 'warning'),
      }
    }
    return shown(snapshot, now)
  }

  const replies = journal.transaction(() => {
    const replies = commands.map(answer)
    if (snapshot.job !== held.job) journal.saveJob(held.key, snapshot.job)
    return replies
  })
  return { snapshot, replies }
}
