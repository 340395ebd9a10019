import { setTimeout as pause } from 'node:timers/promises'
import { createJob } from '../../src/client/job-reporter.ts'
import type { LedgerJob } from './ledger.ts'
import { ORGANIZATION, type Stage } from './stage.ts'
import { until } from './until.ts'

/** Faults that were really injected; none is counted whose effect was not seen. */
export interface Injected {
  /** Runtimes that were killed with requests under way, and are gone. */
  kills: number
  /** Times that D1 was held while statuses changed, and really had none of it until it was let go. */
  locks: number
  /** Objects that were put out of memory, their storage kept. */
  evictions: number
  /** Times that the whole edge was closed and opened again. */
  restarts: number
}

/** A fault that did not have its effect: what follows would prove nothing. */
export class FaultError extends Error {}

/** What goes wrong in a run. One at a time; each call returns once the edge answers again. */
export class Faults {
  readonly injected: Injected = { kills: 0, locks: 0, evictions: 0, restarts: 0 }
  readonly #stage: Stage
  readonly #jobs: LedgerJob[]
  readonly #random: () => number
  #probes = 0

  constructor(stage: Stage, jobs: LedgerJob[], random: () => number) {
    this.#stage = stage
    this.#jobs = jobs
    this.#random = random
  }

  /**
   * SIGKILL to the runtime: the edge, all objects and D1 are this one process, and it has no children. With it goes
   * whatever they had in memory.
   */
  async kill(): Promise<void> {
    // Between two answers there may be a moment without a request; a kill then would be no fault.
    await until('requests are under way', 5_000, () => this.#stage.inFlight > 0)
    await this.killNow()
    this.injected.kills++
  }

  /** The same, whether or not there are requests under way. */
  async killNow(): Promise<void> {
    const { edge } = this.#stage
    const pid = edge.runtimePid()
    process.kill(pid, 'SIGKILL')
    await until(`process ${pid} is gone`, 5_000, () => !isAlive(pid))
    await until('another runtime is started', 15_000, () => edge.runtimePid() !== pid)
    await this.#stage.answers()
  }

  /**
   * Holds D1 for `ms`, by a transaction on its file, while one job is started and another created: both have to be
   * acknowledged, and D1 is to have neither until it is let go. Then runs `meanwhile`, D1 still being held.
   */
  async lock(ms: number, meanwhile?: () => Promise<void>): Promise<void> {
    const stage = this.#stage
    const started = await this.#openProbe()
    const reader = await stage.openD1File({ readOnly: true })
    const holder = await stage.openD1File({ readOnly: false })
    const statusInD1 = ({ jobId }: LedgerJob) =>
      reader.prepare('select status from jobs where job_id = ?').get(jobId)?.status
    try {
      await until('D1 has the job', 20_000, () => statusInD1(started.ledger) === 'pending')
      holder.exec('begin immediate')
      const heldUntil = Date.now() + ms
      await started.start()
      const { ledger: created } = await this.#openProbe()
      await meanwhile?.()
      await pause(Math.max(0, heldUntil - Date.now()))
      const found = [statusInD1(started.ledger), statusInD1(created)]
      if (found[0] !== 'pending' || found[1] !== undefined) {
        throw new FaultError(`D1 was held, and yet has the statuses ${found.join(' and ')}`)
      }
      this.injected.locks++
    } finally {
      if (holder.isTransaction) holder.exec('rollback')
      holder.close()
      reader.close()
    }
  }

  /** Puts some of the jobs that are being reported on out of memory. */
  async evict(most: number): Promise<void> {
    const live = this.#jobs.slice(-50)
    for (let index = 0; index < most; index++) {
      const job = live[Math.floor(this.#random() * live.length)]
      if (job === undefined) return
      const name = `${ORGANIZATION}/${job.jobId}`
      try {
        await this.#stage.edge.miniflare.unsafeEvictDurableObject('milepost', 'JobObject', { name })
        this.injected.evictions++
      } catch (error) {
        // An object with something under way is left where it is, after a while.
        if (!/not currently running|active references/.test(String(error))) throw error
      }
    }
  }

  /** Closes the edge, and opens it again on the same port and state. */
  async restart(): Promise<void> {
    const pid = this.#stage.edge.runtimePid()
    await this.#stage.reopen()
    if (isAlive(pid)) throw new FaultError(`The runtime ${pid} outlived its edge`)
    this.injected.restarts++
  }

  /** A job of the faults' own, which nobody else reports on; in the ledger like any other. */
  async #openProbe() {
    const worker = `probe-${++this.#probes}`
    const reporter = await createJob(this.#stage.connection, { jobType: 'probe', totalItems: 1 })
    const ledger: LedgerJob = { jobId: reporter.jobId, totalItems: 1, reports: [], complaints: [] }
    this.#jobs.push(ledger)
    const start = async () => {
      const warning = {
        entityKey: `${worker}/1`,
        entityType: 'row',
        errorType: 'chaos',
        message: 'D1 is held',
      }
      await reporter.report({
        markStarted: true,
        processedItems: 1,
        metadataPatch: { [worker]: 1 },
        warning,
      })
      ledger.reports.push({
        worker,
        n: 1,
        errors: [],
        warnings: [warning.entityKey],
        mark: 'started',
        marked: true,
        outcome: 'acknowledged',
      })
    }
    return { ledger, start }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
