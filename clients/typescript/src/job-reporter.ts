// For `Symbol.asyncDispose`. Kept in the declarations: whoever compiles against them may not have it.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Connection } from './connection.ts'
import { CounterNames } from './counter-names.ts'
import { EntriesDroppedError, JobClosedError } from './errors.ts'
import type { EntryFilter, Job, JobEntry, JobSummary, Report } from './job.ts'
import type { Jobs } from './jobs.ts'
import { Listeners } from './listeners.ts'
import type { CallOptions } from './options.ts'
import { Pace } from './pace.ts'
import { PendingReports } from './pending-reports.ts'
import { type Mark, type PreparedReport, prepareReport } from './prepare-report.ts'
import { ReportSender } from './report-sender.ts'
import { ShortReports } from './short-reports.ts'

interface ReporterSettings {
  reportsPerSecond: number
  onProblem: (problem: Error) => void
  onProgress: (job: Job) => void
}

const LEFT = 'The worker left the job without completing it'

/**
 * Reports on one job. Get one from `Milepost`: `createJob` for a new job, `job` for one that exists.
 *
 * The methods that return nothing never throw and never wait. What they report is merged and sent in the background, in order, in
 * a few requests. Problems go to `onProblem`. Await `complete` or `fail` at the end: they send all that is left.
 */
export class JobReporter extends ShortReports {
  readonly jobId: string
  readonly #pending: PendingReports
  readonly #sender: ReportSender
  readonly #listeners: Listeners
  readonly #jobs: Jobs
  readonly #counterNames = new CounterNames()
  readonly #abort = new AbortController()
  #latest: Job | undefined
  /** How the worker ends the job, and once the API has it, which mark that was: `fail` may come too late for a `complete`. */
  #end: { mark: Mark; done?: { mark: Mark; job: Job }; error?: Error } | undefined
  #refusal: Error | undefined
  #refusals = 0
  #droppedSaid = 0

  constructor(connection: Connection, jobId: string, jobs: Jobs, settings: ReporterSettings, created?: Job) {
    super()
    this.jobId = jobId
    this.#jobs = jobs
    this.#listeners = new Listeners(settings)
    this.#latest = created
    this.#pending = new PendingReports(jobId)
    const pace = new Pace(connection.clock, settings.reportsPerSecond)
    this.#sender = new ReportSender(connection, jobId, this.#pending, pace, {
      onAcknowledged: (job, sent) => this.#noteReply(job, sent),
      onRefused: (refused, error) => this.#noteRefusal(refused, error),
      onProblem: (problem) => this.#listeners.tellProblem(problem),
      onClosed: (reason) => this.#abort.abort(reason),
    })
  }

  /**
   * Aborted when the job was canceled or finished elsewhere, with a JobClosedError as its reason. Pass it to whatever the worker
   * waits for. Later calls are ignored.
   */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /**
   * How many errors and warnings were dropped. At most 10,000 of them and 8 MB wait to be sent; beyond that, the newest are
   * dropped, `onProblem` is told, and the last report has a warning that says how many. `drained` avoids it.
   */
  get dropped(): number {
    return this.#pending.dropped
  }

  /** The job as of the newest reply. Undefined before the first. */
  get latest(): Job | undefined {
    return this.#latest
  }

  /** Reports anything. An empty report says that the worker is alive. */
  report(report: Report): void {
    try {
      if (this.#end !== undefined || this.#isClosed) return
      const prepared = prepareReport(report)
      const cut = this.#counterNames.cut(prepared.fields.counters ?? {})
      if (cut.length > 0)
        this.#listeners.tellProblem(
          new TypeError(`A job has at most 50 counters. Not counted: ${cut.join(', ')}`),
        )
      this.#add(prepared)
    } catch (error) {
      this.#listeners.tellProblem(error)
    }
  }

  /**
   * Resolves when more errors and warnings can be reported without any being dropped. A worker that makes thousands a second
   * awaits it now and then.
   */
  async drained(options: CallOptions = {}): Promise<void> {
    await this.#sender.wait(() => this.#pending.hasRoom, options)
  }

  /**
   * Sends everything reported so far, and resolves when the API has it. Rejects with a RequestRefusedError if the API refused any
   * of it, with an UnreachableError if it did not answer in time (it stays pending), with a JobClosedError if the job is closed.
   */
  async flush(options: CallOptions = {}): Promise<void> {
    if (this.#end?.done !== undefined) return
    if (this.#sender.closed !== undefined) throw this.#sender.closed
    const segment = this.#pending.seal()
    const refusals = this.#refusals
    await this.#sender.wait(() => this.#pending.isSettled(segment), options)
    if (this.#refusals > refusals) throw this.#refusal
  }

  /**
   * Sends everything reported so far and finishes the job: the API derives the status from its errors and warnings. Resolves when
   * the API has it. Rejects like `flush`; after an UnreachableError, call it again to go on trying.
   */
  async complete(options: CallOptions = {}): Promise<Job> {
    return await this.#finish({ completed: true }, options)
  }

  /** The same for a job that has failed. The message is for people. */
  async fail(message: string, options: CallOptions = {}): Promise<Job> {
    const { mark = { failed: '' } } = prepareReport({ markFailed: String(message) })
    return await this.#finish(mark, options)
  }

  async #finish(mark: Mark, options: CallOptions): Promise<Job> {
    const isFailure = 'failed' in mark
    if (
      this.#end === undefined ||
      (isFailure && this.#end.done === undefined && 'completed' in this.#end.mark)
    ) {
      if (this.#sender.closed !== undefined) throw this.#sender.closed
      if (!this.#isClosed) this.#add({ fields: {}, errors: [], warnings: [], mark })
    }
    const end = this.#end
    await this.#sender.wait(() => end?.done !== undefined || end?.error !== undefined, options)
    if (end?.done === undefined) throw end?.error ?? new Error('The end of the job was not sent')
    const { job } = end.done
    if (isFailure !== 'failed' in end.done.mark)
      throw new JobClosedError(`The job is already ${job.status}`, job.status)
    return job
  }

  /** Stops at once: what was not sent is given up, and `onProblem` is told. Nothing to do after `complete` or `fail`. */
  close(): void {
    if (this.#sender.closed !== undefined) return
    const { mark, errors, warnings, ...others } = this.#pending.unsent()
    const isAnyUnsent = mark !== undefined || errors + warnings + Object.keys(others).length > 0
    const reason = new JobClosedError('The reporter was closed', undefined, this.#pending.unsent())
    this.#sender.close(reason)
    if (isAnyUnsent) this.#listeners.tellProblem(reason)
  }

  /** The job now and after each change, until it is finished. */
  watch(options?: { signal?: AbortSignal }): AsyncGenerator<JobSummary, void> {
    return this.#jobs.watch(this.jobId, options)
  }

  /** All errors or warnings that the API keeps of the job, oldest first. */
  entries(
    kind: 'errors' | 'warnings',
    filter?: EntryFilter,
    options?: CallOptions,
  ): AsyncGenerator<JobEntry, void> {
    return this.#jobs[kind](this.jobId, filter, options)
  }

  /**
   * For `await using`. A job that was neither completed nor failed is failed: JavaScript does not tell a disposer whether an
   * exception is the reason why the block was left, so a block that is left early must not look like a success.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const end = this.#end
      if (end === undefined && !this.#isClosed) await this.fail(LEFT)
      else if (end !== undefined && end.done === undefined) await this.flush()
    } catch (error) {
      // Throwing would hide the exception for which the block was left.
      if (!(error instanceof JobClosedError)) this.#listeners.tellProblem(error)
    }
    this.close()
  }

  get #isClosed(): boolean {
    return this.#abort.signal.aborted || this.#sender.closed !== undefined
  }

  #add(prepared: PreparedReport): void {
    // The same object: a caller of `complete` may wait on it while another calls `fail`.
    if (prepared.mark !== undefined) this.#end = Object.assign(this.#end ?? {}, { mark: prepared.mark })
    this.#pending.add(prepared)
    if (this.#pending.dropped > this.#droppedSaid) {
      this.#droppedSaid = this.#pending.dropped
      this.#listeners.tellProblem(new EntriesDroppedError(this.#droppedSaid))
    }
    this.#sender.wake()
  }

  #noteReply(job: Job, sent: PreparedReport): void {
    this.#latest = job
    this.#counterNames.note(Object.keys(job.counters))
    if (sent.mark !== undefined && this.#end !== undefined) this.#end.done = { mark: sent.mark, job }
    this.#listeners.tellProgress(job)
  }

  #noteRefusal(refused: PreparedReport, error: Error): void {
    this.#refusals++
    this.#refusal = error
    // The job is still open: the worker may end it in another way.
    if (refused.mark === undefined || this.#end === undefined) return
    this.#end.error = error
    this.#end = undefined
  }
}
