import type { Connection } from './connection.ts'
import { describeUnsent } from './describe-unsent.ts'
import { JobClosedError, RequestRefusedError, UnreachableError } from './errors.ts'
import type { Job } from './job.ts'
import { toError } from './listeners.ts'
import { newKey } from './new-key.ts'
import type { CallOptions } from './options.ts'
import { Outage } from './outage.ts'
import { type Outgoing, writeOutgoing } from './outgoing.ts'
import type { Pace } from './pace.ts'
import type { PendingReports } from './pending-reports.ts'
import type { PreparedReport } from './prepare-report.ts'
import { Schedule } from './schedule.ts'
import { type ApiReply, sendWithRetries } from './send-with-retries.ts'
import { settleRefused } from './settle-refused.ts'
import { isFinished } from './statuses.ts'
import { Waiters } from './waiters.ts'
import { readJob } from './wire.ts'

interface SenderEvents {
  onAcknowledged(job: Job, sent: PreparedReport): void
  /** Part of a report, or all of it, will not be sent again. */
  onRefused(refused: PreparedReport, error: Error): void
  onProblem(problem: Error): void
  /** The job was canceled, or finished elsewhere. */
  onClosed(reason: JobClosedError): void
}

/** After a cancellation, how long the API takes the one report of what was left. */
const FINAL_REPORT_MS = 30_000
/** Refusals that every later report would get as well. */
const HOPELESS = [401, 403, 404]

/**
 * Sends what is pending: one report at a time, in order, and at a limited pace. When the API cannot be reached, it goes on trying
 * until `giveUpAfterMs` after the last `wake`, then pauses; the next `wake` resumes. Nothing is lost by a pause.
 *
 * It has no timer and no request while nothing is pending, so an idle one does not keep a Node process alive.
 */
export class ReportSender {
  readonly #connection: Connection
  readonly #path: string
  readonly #pending: PendingReports
  readonly #schedule: Schedule
  readonly #events: SenderEvents
  readonly #waiters: Waiters
  readonly #outage: Outage
  readonly #stop = new AbortController()
  #isRunning = false
  #closed: Error | undefined
  #hasStarted = false

  constructor(
    connection: Connection,
    jobId: string,
    pending: PendingReports,
    pace: Pace,
    events: SenderEvents,
  ) {
    this.#connection = connection
    this.#path = `/api/jobs/${encodeURIComponent(jobId)}/progress`
    this.#pending = pending
    this.#events = events
    const { clock, giveUpAfterMs } = connection
    this.#schedule = new Schedule(clock, pace)
    this.#waiters = new Waiters(clock)
    this.#outage = new Outage(clock, pending, giveUpAfterMs, events.onProblem)
  }

  /** Why nothing is sent anymore. */
  get closed(): Error | undefined {
    return this.#closed
  }

  /** Sends what is pending, soon: what else is called before the next `await` joins it. */
  wake(giveUpAfterMs = this.#connection.giveUpAfterMs): void {
    if (this.#closed !== undefined) return
    this.#schedule.extend(giveUpAfterMs)
    if (this.#waiters.areSome || this.#pending.isUrgent) this.#schedule.nudge()
    if (!this.#isRunning) void this.#run()
  }

  /** Sends without a pause until `isReached`. Rejects if nothing is sent anymore, or not in time. */
  async wait(isReached: () => boolean, options: CallOptions): Promise<void> {
    const giveUpAfterMs = options.giveUpAfterMs ?? this.#connection.giveUpAfterMs
    if (!(giveUpAfterMs >= 0)) throw new TypeError('giveUpAfterMs should be 0 or more')
    if (isReached()) return
    if (this.#closed !== undefined) throw this.#closed
    const waiting = this.#waiters.wait(isReached, {
      giveUpAfterMs,
      signal: options.signal,
      onTimeout: () => this.#outage.describe(`Gave up after ${giveUpAfterMs} ms: ${this.#outage.reason}`),
    })
    this.wake(giveUpAfterMs)
    await waiting
  }

  /** Stops at once. What is pending is not sent. */
  close(reason: Error): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    this.#stop.abort(reason)
    this.#schedule.nudge()
    this.#waiters.rejectAll(reason)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    try {
      await Promise.resolve()
      while (this.#closed === undefined && !(this.#pending.isEmpty && this.#pending.current === undefined)) {
        if (!(await this.#untilDue())) return
        const report = this.#pending.current ?? this.#pending.take(newKey())
        if (report === undefined || this.#closed !== undefined) return
        this.#schedule.noteStart()
        await this.#send(report)
        this.#waiters.check()
      }
    } catch (error) {
      // A bug, or a clock of the caller's that throws. Unhandled, it would end the worker.
      this.#events.onProblem(toError(error))
      this.close(toError(error))
    } finally {
      this.#isRunning = false
    }
  }

  /** False if it should not be sent at all: closed, or paused. */
  async #untilDue(): Promise<boolean> {
    while (this.#closed === undefined) {
      if (this.#schedule.isPaused) {
        this.#waiters.rejectAll(this.#outage.describe(`The API cannot be reached: ${this.#outage.reason}`))
        return false
      }
      const isAwaited = this.#pending.current !== undefined || this.#waiters.areSome
      const ms = this.#schedule.dueIn({ isAwaited, isUrgent: this.#pending.isUrgent })
      if (ms <= 0) return true
      await this.#schedule.wait(ms)
    }
    return false
  }

  async #send(report: Outgoing): Promise<void> {
    try {
      const reply = await this.#request(this.#withStart(report), () => this.#schedule.tryUntil)
      const job = readJob(reply.body)
      this.#hasStarted ||= job.startedAt !== null
      this.#outage.end()
      // It is sending and gets answers: what is left has its time, too.
      this.#schedule.extend(this.#connection.giveUpAfterMs)
      this.#pending.settle()
      this.#events.onAcknowledged(job, report)
      const status = reply.jobStatus ?? job.status
      const closed = new JobClosedError(`The job is ${status}`, status)
      if (report.mark === undefined && isFinished(status)) await this.#closeElsewhere(closed)
      else if (report.mark !== undefined) {
        this.#waiters.check()
        this.close(closed)
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (error instanceof UnreachableError) {
        this.#schedule.postpone(error.retryAfterMs)
        this.#outage.end()
        const problem = this.#outage.describe(error.message, error.cause)
        this.#events.onProblem(problem)
        this.#waiters.rejectAll(problem)
      } else if (error instanceof JobClosedError) await this.#closeElsewhere(error)
      else {
        this.#noteRefusal(report, error)
        if (error instanceof RequestRefusedError && HOPELESS.includes(error.status)) this.#end(error)
      }
    }
  }

  /**
   * Says again that a running job is started, which changes nothing. Once the job is canceled, the API then refuses the report
   * and does not take it for the one final report, which is to hold all that is left.
   */
  #withStart(report: Outgoing): Outgoing {
    return this.#hasStarted ? { ...report, fields: { ...report.fields, markStarted: true } } : report
  }

  #request(report: Outgoing, giveUpAt: () => number): Promise<ApiReply> {
    const body = writeOutgoing(report)
    return sendWithRetries(
      this.#connection,
      { method: 'POST', path: this.#path, body, idempotencyKey: report.key },
      { giveUpAt, signal: this.#stop.signal, onRetry: (reason) => this.#outage.noteFailure(reason) },
    )
  }

  /** The job ended elsewhere. What it did until then may still count: after a cancellation, the API takes one more report. */
  async #closeElsewhere(error: JobClosedError): Promise<void> {
    this.#events.onClosed(error)
    if (error.status === 'cancelled') {
      this.#pending.takeFinal(newKey())
      await this.#sendFinal()
    }
    this.#end(error)
  }

  async #sendFinal(): Promise<void> {
    const giveUpAt = this.#connection.clock.elapsed() + FINAL_REPORT_MS
    for (let report = this.#pending.current; report !== undefined; report = this.#pending.current) {
      try {
        const { body } = await this.#request(report, () => giveUpAt)
        this.#pending.settle()
        this.#events.onAcknowledged(readJob(body), report)
      } catch (error) {
        // It came too late: the error of the end says what was lost.
        if (error instanceof JobClosedError || this.#stop.signal.aborted) return
        if (error instanceof UnreachableError) return this.#events.onProblem(error)
        this.#noteRefusal(report, error)
      }
    }
  }

  #noteRefusal(report: Outgoing, error: unknown): void {
    const { refused, problem } = settleRefused(this.#pending, report, error)
    this.#events.onProblem(problem)
    this.#events.onRefused(refused, problem)
  }

  #end(error: JobClosedError | RequestRefusedError): void {
    const unsent = this.#pending.unsent()
    const lost = describeUnsent(unsent)
    let reason: Error = error
    if (error instanceof JobClosedError) {
      reason = new JobClosedError(error.message + (lost && `. Not sent: ${lost}`), error.status, unsent)
      if (lost) this.#events.onProblem(reason)
    }
    this.close(reason)
  }
}
