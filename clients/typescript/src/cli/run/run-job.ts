import { setTimeout as wait } from 'node:timers/promises'
import { JobClosedError } from '../../errors.ts'
import type { NewJob, Report } from '../../job.ts'
import type { JobReporter } from '../../job-reporter.ts'
import type { Milepost } from '../../milepost.ts'
import { describeError } from '../describe-error.ts'
import { EarlyReports } from './early-reports.ts'

/** How long output is held up at a time for errors to be sent, and for how long it is not when that was in vain. */
const [MAX_HOLD_MS, NO_HOLD_MS] = [2_000, 60_000]

/** The job of a command. It neither throws nor rejects: what goes wrong is told to `warn`, and the command runs on. */
export class RunJob {
  /** Resolves to the job's reporter, or to undefined if there will be none. */
  readonly opened: Promise<JobReporter | undefined>
  readonly #warn: (text: string) => void
  readonly #stopTrying = new AbortController()
  readonly #early = new EarlyReports()
  #reporter: JobReporter | undefined
  #holdAgainAt = 0

  /**
   * Creates a job, or goes on with one. Keeps trying while the API does not answer.
   *
   * @param client undefined if there is no way to reach the API
   */
  constructor(client: Milepost | undefined, job: { jobId: string } | NewJob, warn: (text: string) => void) {
    this.#warn = warn
    this.opened = client === undefined ? Promise.resolve(undefined) : this.#open(client, job)
  }

  async #open(client: Milepost, job: { jobId: string } | NewJob): Promise<JobReporter | undefined> {
    try {
      // One call, however long it takes: a second one could create a second job.
      const options = { giveUpAfterMs: Number.POSITIVE_INFINITY, signal: this.#stopTrying.signal }
      const reporter = 'jobId' in job ? client.job(job.jobId) : await client.createJob(job, options)
      reporter.started()
      reporter.report(this.#early.toReport())
      this.#reporter = reporter
      return reporter
    } catch (error) {
      if (!this.#stopTrying.signal.aborted)
        this.#warn(`The job was not created, so nothing is reported: ${describeError(error)}`)
      return undefined
    }
  }

  report(report: Report): void {
    if (this.#reporter) this.#reporter.report(report)
    else this.#early.add(report)
  }

  /**
   * Resolves when more errors can be reported without any being dropped: at once, unless the command makes thousands a second. An
   * API that is away hardly holds the command up.
   */
  async hasRoom(): Promise<void> {
    if (this.#reporter === undefined || performance.now() < this.#holdAgainAt) return
    try {
      await this.#reporter.drained({ giveUpAfterMs: MAX_HOLD_MS })
    } catch {
      this.#holdAgainAt = performance.now() + NO_HOLD_MS
    }
  }

  /**
   * Finishes the job: as failed if there is a `failure`. Gives up after `timeoutMs`, or when the signal is aborted.
   *
   * @param lastFailure why there was no answer
   */
  async finish(
    failure: string | undefined,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
    lastFailure: () => string,
  ): Promise<void> {
    const until = performance.now() + timeoutMs
    const late = Symbol()
    const timeout = wait(timeoutMs, late, { signal }).catch(() => late)
    const reporter = await Promise.race([this.opened, timeout])
    this.#stopTrying.abort()
    if (typeof reporter === 'symbol') return this.#warn(`The job was not created: ${lastFailure()}`)
    if (reporter === undefined) return
    const options = { giveUpAfterMs: Math.max(1, until - performance.now()), signal }
    try {
      await (failure === undefined ? reporter.complete(options) : reporter.fail(failure, options))
    } catch (error) {
      const what = `The end of ${reporter.jobId} was not reported`
      if (error instanceof JobClosedError) this.#warn(`${reporter.jobId}: ${error.message}`)
      else this.#warn(`${what}: ${signal.aborted ? 'interrupted' : describeError(error)}`)
    }
  }
}
