import { setTimeout as pause } from 'node:timers/promises'
import {
  type Clock,
  type Job,
  JobClosedError,
  Milepost,
  type MilepostOptions,
  type Report,
  type ReportedEntry,
  RequestRefusedError,
  UnreachableError,
} from 'milepost'
import type { Tenant } from './edge-commands.ts'
import type { LedgerJob, Mark, Outcome, SentReport } from './ledger.ts'
import { PauseGate } from './pause-gate.ts'
import { integerBetween } from './random.ts'
import { reportOnce } from './report-once.ts'
import type { ActiveJob, Run } from './run.ts'
import { type AnsweredRequest, unreliableFetch } from './unreliable-fetch.ts'

/** Shares of the reports. */
const BULK = 0.03
const ABANDONED = 0.02
const STARTED_AGAIN = 0.02
/** An abandoned report is hung up on within this time. */
const LONGEST_CALL_MS = 60
/** Longer than that, and too short for a second attempt. */
const ABANDONED_AFTER_MS = 100
/** The share of reports with an error; the others have a warning. */
const WITH_ERROR = 0.75
/** The most entries of each kind in a bulk report. */
const MOST_IN_BULK = 30
/** The share of ended jobs that fail. */
const FAILED = 0.2
/** The share of jobs that are never ended. */
const LEFT_OPEN = 0.15

/** Divides the client's waits: a run should be full of retries, not of waiting. */
const WAITS_SHORTENED = 8

/** How many answered requests to keep for a job, in addition to its create. The newest are kept. */
const REMEMBERED_REPORTS = 20
/** How many finished jobs to keep for later retries: more than finish before the first of them leaves its object. */
const REMEMBERED_JOBS = 500

/** Workers that share one job after another: a single worker, or several on a large job. */
export interface Crew {
  name: string
  tenant: Tenant
  size: number
  /** The least and the most reports that one of their jobs gets. */
  reports: [least: number, most: number]
}

/** Has one crew work until the run is over. Throws if the client throws anything but its own errors. */
export async function workAsCrew(run: Run, crew: Crew): Promise<void> {
  let opening: Promise<ActiveJob | undefined> | undefined
  const members = Array.from(
    { length: crew.size },
    (_, index) => new Member(run, crew.tenant, `${crew.name}-${index + 1}`),
  )
  const work = async (member: Member) => {
    while (!run.isOver()) {
      opening ??= member.open(crew)
      const mine = opening
      const current = await mine
      while (current !== undefined && !current.isOver && !run.isOver()) {
        await current.gate.pass(async () => {
          // A fault may have ended the job while the gate was closed.
          if (!current.isOver) await member.step(current)
        })
      }
      if (current !== undefined) run.active.delete(current)
      if (opening === mine) opening = undefined
    }
  }
  await Promise.all(members.map(work))
}

class Member {
  readonly #run: Run
  readonly #name: string
  readonly #connection: MilepostOptions
  #n = 0
  #complaints: string[] = []
  #answered: AnsweredRequest[] = []

  constructor(run: Run, tenant: Tenant, name: string) {
    this.#run = run
    this.#name = name
    const { stage, random, replays } = run
    const complain = (complaint: string) => this.#complaints.push(`${name}/${this.#n}: ${complaint}`)
    this.#connection = {
      ...stage.connectionOf(tenant),
      fetch: unreliableFetch({
        random,
        stage,
        replays,
        complain,
        onAnswer: (request) => this.#answered.push(request),
      }),
      clock: quickClock(random),
    }
  }

  /** Creates the crew's next job. Returns undefined without an answer, since the job is then unknown. */
  async open(crew: Crew): Promise<ActiveJob | undefined> {
    const { random, clock, jobs, active, complaints } = this.#run
    const left = integerBetween(random, ...crew.reports)
    const setBacks = clock.setBacks
    // Forget a create that was answered after its worker had given up.
    this.#answered.length = 0
    try {
      const newJob = { jobType: 'chaos', totalItems: left, triggeredBy: this.#name }
      const { jobId } = await new Milepost(this.#connection).createJob(newJob)
      const ledger: LedgerJob = {
        jobId,
        tenant: crew.tenant,
        totalItems: left,
        reports: [],
        clockSetBacks: clock.setBacks - setBacks,
        complaints: this.#complaints.splice(0),
      }
      jobs.push(ledger)
      const answered = this.#answered.splice(0)
      const job = { ledger, left, isOver: false, gate: new PauseGate(), answered }
      active.add(job)
      return job
    } catch (error) {
      if (error instanceof RequestRefusedError) complaints.push(`a create was refused: ${error}`)
      else if (!(error instanceof UnreachableError)) throw error
      return undefined
    }
  }

  /** Sends the next report of the job. One member of the crew sends the final report. */
  async step(current: ActiveJob): Promise<void> {
    const { random, finished } = this.#run
    current.left--
    if (current.left === -1) {
      // The rest of the crew keeps reporting: some reports arrive in time, others get 409.
      if (random() >= LEFT_OPEN) {
        await this.#report(current, random() < FAILED ? 'failed' : 'completed')
        finished.push(current)
        if (finished.length > REMEMBERED_JOBS) finished.shift()
      }
      current.isOver = true
      return
    }
    const isFirst = current.ledger.reports.length === 0
    if (!isFirst && random() < ABANDONED) return await this.#abandon(current.ledger)
    await this.#report(current, isFirst || random() < STARTED_AGAIN ? 'started' : undefined)
  }

  async #report({ ledger, answered }: ActiveJob, mark: Mark | undefined): Promise<void> {
    const sent = this.#enter(ledger, mark, true)
    const job = await this.#settle(ledger, sent, reportOnce(this.#connection, ledger.jobId, toReport(sent)))
    answered.push(...this.#answered.splice(0))
    if (answered.length > 1 + REMEMBERED_REPORTS) answered.splice(1, 1)
    if (job !== undefined && job.metadata[sent.worker] !== sent.n) {
      ledger.complaints.push(
        `the reply to ${sent.worker}/${sent.n} shows ${job.metadata[sent.worker]} instead`,
      )
    }
  }

  /** Sends a report once and hangs up: it may take effect or never arrive. */
  async #abandon(ledger: LedgerJob): Promise<void> {
    const sent = this.#enter(ledger, undefined, false)
    const hangUp = AbortSignal.timeout(integerBetween(this.#run.random, 0, LONGEST_CALL_MS))
    const send = (url: string, init: RequestInit) => fetch(url, { ...init, signal: hangUp })
    const connection = { ...this.#connection, fetch: send, giveUpAfterMs: ABANDONED_AFTER_MS }
    await this.#settle(ledger, sent, reportOnce(connection, ledger.jobId, toReport(sent)))
  }

  /** Enters a report into the ledger, before it is sent. */
  #enter(ledger: LedgerJob, mark: Mark | undefined, marked: boolean): SentReport {
    const { random } = this.#run
    const n = ++this.#n
    const keys = (kind: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${this.#name}/${n}/${kind}${index}`)
    const isBulk = random() < BULK
    const isError = random() < WITH_ERROR
    const count = (hasOne: boolean) => (isBulk ? integerBetween(random, 1, MOST_IN_BULK) : hasOne ? 1 : 0)
    const sent: SentReport = {
      worker: this.#name,
      n,
      errors: keys('e', count(isError)),
      warnings: keys('w', count(!isError)),
      ...(mark === undefined ? {} : { mark }),
      marked,
      outcome: 'unanswered',
    }
    ledger.reports.push(sent)
    return sent
  }

  /** Notes the outcome of a report. Returns the job if it was acknowledged. */
  async #settle(ledger: LedgerJob, sent: SentReport, reply: Promise<Job>): Promise<Job | undefined> {
    try {
      const job = await reply
      sent.outcome = 'acknowledged' satisfies Outcome
      this.#run.acknowledged++
      return job
    } catch (error) {
      if (error instanceof JobClosedError) sent.outcome = 'refused'
      // Every report is valid and its job exists, so any other refusal is wrong.
      else if (error instanceof RequestRefusedError)
        ledger.complaints.push(`${this.#name}/${sent.n}: ${error}`)
      else if (!(error instanceof UnreachableError)) throw error
      return undefined
    } finally {
      ledger.complaints.push(...this.#complaints.splice(0))
    }
  }
}

function toReport({ worker, n, errors, warnings, mark, marked }: SentReport): Report {
  const isBulk = errors.length + warnings.length > 1
  const [error] = errors.map(toEntry)
  const [warning] = warnings.map(toEntry)
  return {
    ...(mark === 'started' && { markStarted: true }),
    ...(marked && { processedItems: n, metadataPatch: { [worker]: n } }),
    ...(isBulk
      ? { errors: errors.map(toEntry), warnings: warnings.map(toEntry) }
      : { ...(error && { error }), ...(warning && { warning }) }),
    ...(mark === 'completed' && { markCompleted: true }),
    ...(mark === 'failed' && { markFailed: `reported by ${worker}/${n}` }),
  }
}

function toEntry(entityKey: string): ReportedEntry {
  return { entityKey, entityType: 'row', errorType: 'chaos', message: 'as sent' }
}

function quickClock(random: () => number): Clock {
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    wait: (ms) => pause(ms / WAITS_SHORTENED),
    random,
  }
}
