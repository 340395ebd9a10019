import { setTimeout as pause } from 'node:timers/promises'
import { createJob, JobReporter } from '../../src/client/job-reporter.ts'
import {
  type Clock,
  type Connection,
  JobClosedError,
  RequestRefusedError,
  UnreachableError,
} from '../../src/client/send-with-retries.ts'
import type { Job, Report, ReportedEntry } from '../../src/client/wire.ts'
import type { LedgerJob, Mark, Outcome, SentReport } from './ledger.ts'
import { integerBetween } from './random.ts'
import type { Run, WorkedJob } from './run.ts'
import { Standstill } from './standstill.ts'
import { type AnsweredRequest, unreliableFetch } from './unreliable-fetch.ts'

/** Shares of the reports. */
const BULK = 0.03
const ABANDONED = 0.02
const STARTED_AGAIN = 0.02
/** The others bring a warning. */
const WITH_ERROR = 0.75
/** Entries of each kind in a bulk report. */
const MOST_IN_BULK = 30
/** Of the jobs that are due to end. */
const FAILED = 0.2
const LEFT_OPEN = 0.15

/** Waits shorter than the client's own: the run is to be full of retries, not of waiting. */
const WAITS_SHORTENED = 8

/** Answered requests that are remembered of a job: its create, and so many reports, the newest. */
const REMEMBERED_REPORTS = 20
/** Finished jobs that are remembered with them. */
const REMEMBERED_JOBS = 30

/** Workers on one job after another, together: one worker alone, or several on a heavy job. */
export interface Crew {
  name: string
  size: number
  /** How many reports a job of theirs gets, at least and at most. */
  reports: [least: number, most: number]
}

/** Has one crew work until the run is over. Throws where the edge gives an answer that no worker may ever get. */
export async function workAsCrew(run: Run, crew: Crew): Promise<void> {
  let opening: Promise<WorkedJob | undefined> | undefined
  const members = Array.from(
    { length: crew.size },
    (_, index) => new Member(run, `${crew.name}-${index + 1}`),
  )
  const work = async (member: Member) => {
    while (!run.isOver()) {
      opening ??= member.open(crew)
      const mine = opening
      const current = await mine
      while (current !== undefined && !current.isOver && !run.isOver()) {
        await current.standstill.step(async () => {
          // A fault may have ended it while everybody stood still.
          if (!current.isOver) await member.step(current)
        })
      }
      if (current !== undefined) run.worked.delete(current)
      if (opening === mine) opening = undefined
    }
  }
  await Promise.all(members.map(work))
}

class Member {
  readonly #run: Run
  readonly #name: string
  readonly #connection: Connection
  #n = 0
  #complaints: string[] = []
  #answered: AnsweredRequest[] = []

  constructor(run: Run, name: string) {
    this.#run = run
    this.#name = name
    const { stage, random, replays } = run
    const complain = (complaint: string) => this.#complaints.push(`${name}/${this.#n}: ${complaint}`)
    this.#connection = {
      ...stage.connection,
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

  /** Creates the crew's next job; undefined where nobody answered, so that nothing is known of it. */
  async open(crew: Crew): Promise<WorkedJob | undefined> {
    const { random, clock, jobs, worked, complaints } = this.#run
    const left = integerBetween(random, ...crew.reports)
    const setBacks = clock.setBacks
    // Of a create that was answered, but so late that its worker had given up.
    this.#answered.length = 0
    try {
      const order = { jobType: 'chaos', totalItems: left, triggeredBy: this.#name }
      const { jobId } = await createJob(this.#connection, order)
      const ledger: LedgerJob = {
        jobId,
        totalItems: left,
        reports: [],
        clockSetBacks: clock.setBacks - setBacks,
        complaints: this.#complaints.splice(0),
      }
      jobs.push(ledger)
      const answered = this.#answered.splice(0)
      const job = { ledger, left, isOver: false, standstill: new Standstill(), answered }
      worked.add(job)
      return job
    } catch (error) {
      if (error instanceof RequestRefusedError) complaints.push(`a create was refused: ${error}`)
      else if (!(error instanceof UnreachableError)) throw error
      return undefined
    }
  }

  /** Sends the next report of the job; one of the crew sends its end once it has had enough. */
  async step(current: WorkedJob): Promise<void> {
    const { random, finished } = this.#run
    current.left--
    if (current.left === -1) {
      // Meanwhile the rest of the crew goes on: some of it comes in time, and some is told that the job is closed.
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

  async #report({ ledger, answered }: WorkedJob, mark: Mark | undefined): Promise<void> {
    const sent = this.#enter(ledger, mark, true)
    const reporter = new JobReporter(this.#connection, ledger.jobId)
    const job = await this.#settle(ledger, sent, reporter.report(toReport(sent)))
    answered.push(...this.#answered.splice(0))
    if (answered.length > 1 + REMEMBERED_REPORTS) answered.splice(1, 1)
    if (job !== undefined && job.metadata[sent.worker] !== sent.n) {
      ledger.complaints.push(
        `${sent.worker}/${sent.n} was answered with a job of ${job.metadata[sent.worker]}`,
      )
    }
  }

  /** Sends a report once, and hangs up on it: it may come into effect, or never arrive. */
  async #abandon(ledger: LedgerJob): Promise<void> {
    const sent = this.#enter(ledger, undefined, false)
    const hangUp = AbortSignal.timeout(integerBetween(this.#run.random, 0, 60))
    const send = (url: string, init: RequestInit) => fetch(url, { ...init, signal: hangUp })
    const connection = { ...this.#connection, fetch: send, giveUpAfterMs: 0 }
    await this.#settle(ledger, sent, new JobReporter(connection, ledger.jobId).report(toReport(sent)))
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

  /** Notes what became of a report; the job where it was acknowledged. */
  async #settle(ledger: LedgerJob, sent: SentReport, reply: Promise<Job>): Promise<Job | undefined> {
    try {
      const job = await reply
      sent.outcome = 'acknowledged' satisfies Outcome
      this.#run.acknowledged++
      return job
    } catch (error) {
      if (error instanceof JobClosedError) sent.outcome = 'refused'
      // Every report of this run is valid, and its job exists: no other refusal is right.
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
    ...(mark === 'failed' && { markFailed: `as ${worker} found in ${n}` }),
  }
}

function toEntry(entityKey: string): ReportedEntry {
  return { entityKey, entityType: 'row', errorType: 'chaos', message: 'as sent' }
}

function quickClock(random: () => number): Clock {
  return { now: () => Date.now(), wait: (ms) => pause(ms / WAITS_SHORTENED), random }
}
