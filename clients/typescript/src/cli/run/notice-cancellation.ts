import { setTimeout as wait } from 'node:timers/promises'
import { JobClosedError, RequestRefusedError } from '../../errors.ts'
import type { JobReporter } from '../../job-reporter.ts'
import type { Jobs } from '../../jobs.ts'

/**
 * Resolves to true when the job is canceled. The reply to any report says so; besides, the API is asked every `everyMs`, because
 * a command may report nothing for hours. Resolves to false when it cannot be known: the signal is aborted, the job has ended in
 * another way, or the API refuses to tell, in which case `warn` is told.
 */
export async function noticeCancellation(
  jobs: Jobs,
  reporter: JobReporter,
  { everyMs, signal, warn }: { everyMs: number; signal: AbortSignal; warn: (text: string) => void },
): Promise<boolean> {
  const either = AbortSignal.any([signal, reporter.signal])
  let mayAsk = true
  while (!either.aborted) {
    await wait(everyMs, undefined, { signal: either }).catch(() => {})
    if (either.aborted || !mayAsk) continue
    try {
      const { status } = await jobs.status(reporter.jobId, { giveUpAfterMs: everyMs, signal: either })
      if (status === 'cancelled') return true
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) continue
      mayAsk = false
      const why = error.status === 403 ? 'the key may not read jobs' : error.message
      warn(`A cancellation will be noticed with the next report only: ${why}`)
    }
  }
  const reason: unknown = reporter.signal.reason
  return !signal.aborted && reason instanceof JobClosedError && reason.status === 'cancelled'
}
