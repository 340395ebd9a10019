import { abandonJob } from '../jobs/abandon-job.ts'
import { correctClock } from '../jobs/correct-clock.ts'
import { noteAttempt } from '../jobs/delivery.ts'
import type { Change } from '../jobs/outcome.ts'
import { stallJob } from '../jobs/stall-job.ts'
import type { Store } from '../store/store.ts'
import { findWebhookSecret } from '../store/webhook-secrets.ts'
import { deliver } from './deliver.ts'
import type { LiveJob } from './live-job.ts'
import { show } from './replies.ts'
import { type Duty, dutiesOf, type ScheduleSettings } from './schedule.ts'

interface Means {
  store: Store
  settings: ScheduleSettings
  /** Brings D1 level; false where it did not take everything. */
  record: () => Promise<boolean>
  /** Has the job leave its object; false where it cannot yet. */
  archive: () => Promise<boolean>
}

/** Performs all that is due of a live job, each duty once. False where one of them has to be tried again later. */
export async function performDuties(live: LiveJob, means: Means): Promise<boolean> {
  const performed = new Set<Duty>()
  for (;;) {
    const now = Date.now()
    // Looked at anew each time: what is flagged is to be recorded, and what is recorded may be archived. Once the alarm
    // has gone off, for whatever reason, D1 is brought level as well.
    const due = dutiesOf(live.job, live.isBehind, means.settings, now).find(
      ({ duty, at }) => (at <= now || duty === 'record') && !performed.has(duty),
    )
    if (due === undefined) return true
    performed.add(due.duty)
    if (!(await perform(due.duty, live, means))) return false
  }
}

async function perform(
  duty: Duty,
  live: LiveJob,
  { store, settings, record, archive }: Means,
): Promise<boolean> {
  const change = async (change: Change) => (await live.change({ change, request: null })).ok
  switch (duty) {
    case 'correct_clock':
      return await change((job, now) => correctClock(job, now))
    case 'flag_stall':
      return await change((job, now) => stallJob(job, now))
    case 'abandon':
      return await change((job, now) => abandonJob(job, settings.abandonAfterDays, now))
    case 'deliver': {
      const { organizationId } = live.key
      const findSecret = () => findWebhookSecret(store, organizationId)
      const outcome = await deliver(show(live.job, live.recent, Date.now()), findSecret)
      return await change((job) => noteAttempt(job, outcome))
    }
    case 'record':
      return await record()
    case 'archive':
      return await archive()
  }
}
