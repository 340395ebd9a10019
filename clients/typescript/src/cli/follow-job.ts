import { setTimeout as wait } from 'node:timers/promises'
import { UnreachableError } from '../errors.ts'
import type { JobSummary } from '../job.ts'
import type { Jobs } from '../jobs.ts'
import { isFinished } from '../statuses.ts'

/** The event stream sends the current state at once. One that takes this long is held up by something between. */
const FIRST_STATE_MS = 5_000

/**
 * The job now and after each change, until it is finished: from its event stream or, where that does not come through, by asking
 * every `pollMs`. Throws like `jobs.watch`.
 */
export async function* followJob(
  jobs: Jobs,
  jobId: string,
  { pollMs, signal }: { pollMs: number; signal: AbortSignal },
): AsyncGenerator<JobSummary, void> {
  const slow = new AbortController()
  const timer = setTimeout(() => slow.abort(), FIRST_STATE_MS)
  try {
    for await (const job of jobs.watch(jobId, { signal: AbortSignal.any([signal, slow.signal]) })) {
      clearTimeout(timer)
      yield job
      if (isFinished(job.status)) return
    }
  } catch (error) {
    if (!(error instanceof UnreachableError) && !slow.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
  for (;;) {
    signal.throwIfAborted()
    const { errors, warnings, ...job } = await jobs.get(jobId, { signal })
    yield job
    if (isFinished(job.status)) return
    await wait(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
