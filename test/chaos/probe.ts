import { type Job, Milepost, type MilepostOptions } from 'milepost'
import { TENANTS, type Tenant } from './edge-commands.ts'
import type { LedgerJob, Mark } from './ledger.ts'
import { reportOnce } from './report-once.ts'
import type { Run } from './run.ts'

let probes = 0

/** A worker that a fault uses to check its effect. Its reports are in the ledger like those of any other worker. */
export class Probe {
  readonly #run: Run
  readonly #tenant: Tenant
  readonly #connection: MilepostOptions
  readonly #name = `probe-${++probes}`
  #n = 0

  /** Default: a worker of the first tenant, with its server API key. */
  constructor(run: Run, tenant: Tenant = TENANTS[0], connection = run.stage.connectionOf(tenant)) {
    this.#run = run
    this.#tenant = tenant
    this.#connection = connection
  }

  /** Creates a job that nobody else reports on. */
  async create(): Promise<LedgerJob> {
    const { clock, jobs } = this.#run
    const setBacks = clock.setBacks
    const { jobId } = await new Milepost(this.#connection).createJob({ jobType: 'probe', totalItems: 1 })
    const clockSetBacks = clock.setBacks - setBacks
    const tenant = this.#tenant
    const ledger: LedgerJob = { jobId, tenant, totalItems: 1, reports: [], clockSetBacks, complaints: [] }
    jobs.push(ledger)
    return ledger
  }

  /** Sends one report with a warning. Throws if it is not acknowledged. */
  async report(ledger: LedgerJob, mark?: Exclude<Mark, 'failed'>): Promise<Job> {
    const n = ++this.#n
    const [worker, entityKey] = [this.#name, `${this.#name}/${n}`]
    const job = await reportOnce(this.#connection, ledger.jobId, {
      ...(mark === 'started' && { markStarted: true }),
      ...(mark === 'completed' && { markCompleted: true }),
      processedItems: n,
      metadataPatch: { [worker]: n },
      warning: { entityKey, entityType: 'row', errorType: 'chaos', message: 'from a probe' },
    })
    ledger.reports.push({
      worker,
      n,
      errors: [],
      warnings: [entityKey],
      ...(mark && { mark }),
      marked: true,
      outcome: 'acknowledged',
    })
    this.#run.acknowledged++
    return job
  }
}
