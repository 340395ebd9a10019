import { abandonJob } from '../jobs/abandon-job.ts'
import { correctClock } from '../jobs/correct-clock.ts'
import { flagLate } from '../jobs/deadlines.ts'
import { noteAttempt } from '../jobs/delivery.ts'
import type { Change } from '../jobs/outcome.ts'
import { shownTexts } from '../jobs/recent-entries.ts'
import { stallJob } from '../jobs/stall-job.ts'
import type { Settings } from '../settings.ts'
import type { Store } from '../store/store.ts'
import { findWebhookSecret } from '../store/webhook-secrets.ts'
import { deliver } from './deliver.ts'
import type { LiveJob } from './live-job.ts'
import { type Duty, dutiesOf } from './schedule.ts'

interface Dependencies {
  /** The database with the webhook secrets. */
  directory: Store
  settings: Settings
  /** Applies a change; false if it was refused. */
  change: (change: Change) => Promise<boolean>
  /** Writes what D1 lacks; false if D1 did not take all of it. */
  record: () => Promise<boolean>
  /** Moves the job from its object to D1; false if it cannot leave yet. */
  archive: () => Promise<boolean>
}

/** Performs the duties of a live job that are due, each once. False if one has to be tried again later. */
export async function performDuties(live: LiveJob, dependencies: Dependencies): Promise<boolean> {
  live.saveRecorded()
  const performed = new Set<Duty>()
  for (;;) {
    const now = Date.now()
    // Recomputed each time, since one duty may lead to the next: a delivered job may be archived.
    const due = dutiesOf(live.job, live.isBehind, dependencies.settings, now).find(
      ({ duty, at }) => at <= now && !performed.has(duty),
    )
    if (due === undefined) return true
    performed.add(due.duty)
    if (!(await perform(due.duty, live, dependencies))) return false
  }
}

async function perform(
  duty: Duty,
  live: LiveJob,
  { directory, settings, change, record, archive }: Dependencies,
): Promise<boolean> {
  switch (duty) {
    case 'correct_clock':
      return await change((job, now) => correctClock(job, now))
    case 'flag_stall':
      return await change((job, now) => stallJob(job, now))
    case 'flag_late':
      return await change((job, now) => flagLate(job, now))
    case 'abandon':
      return await change((job, now) => abandonJob(job, settings.abandonAfterDays, now))
    case 'deliver': {
      const { organizationId } = live.key
      const findSecret = () => findWebhookSecret(directory, organizationId)
      const outcome = await deliver({ job: live.job, ...shownTexts(live.recent) }, findSecret)
      return await change((job) => noteAttempt(job, outcome))
    }
    case 'record':
      return await record()
    case 'archive':
      return await archive()
  }
}
