import type { Fetch } from '../../clients/typescript/src/options.ts'

// biome-ignore lint/suspicious/noExplicitAny: reports as they are on the wire
type Wire = any
type Fault = 'dropped' | 'reply lost' | 'unavailable' | 'truncated'

/** What a job holds, as far as the client's tests are concerned. */
interface FakeJob {
  status: string
  isStarted: boolean
  total: number
  processed: number
  counters: Record<string, number>
  metadata: Record<string, unknown>
  /** Each change of stage. */
  stages: string[]
  errors: Wire[]
  warnings: Wire[]
}

export function newFakeJob(): FakeJob {
  const lists = { stages: [], errors: [], warnings: [] }
  return {
    status: 'pending',
    isStarted: false,
    total: 0,
    processed: 0,
    counters: Object.create(null),
    metadata: {},
    ...lists,
  }
}

/** Applies a report by the rules of the API, in its order. */
export function applyToFakeJob(job: FakeJob, report: Wire): void {
  if (report.mark_started) Object.assign(job, { status: 'in_progress', isStarted: true })
  job.total = report.total_items ?? job.total
  job.processed = (report.processed_items ?? job.processed) + (report.processed_delta ?? 0)
  for (const [name, count] of Object.entries<number>(report.counters ?? {}))
    job.counters[name] = (job.counters[name] ?? 0) + count
  Object.assign(job.metadata, report.metadata_patch)
  if (report.stage !== undefined) {
    job.metadata.stage = report.stage
    if (job.stages.at(-1) !== report.stage) job.stages.push(report.stage)
  }
  if (report.message !== undefined) job.metadata.last_message = report.message
  job.errors.push(...(report.errors ?? []))
  job.warnings.push(...(report.warnings ?? []))
  if (report.mark_completed) job.status = 'completed'
  if (report.mark_failed !== undefined) job.status = 'failed'
}

/** The API as far as reports go, in memory: applies each key once, refuses what the real one refuses, and fails when told to. */
export class FakeApi {
  readonly job = newFakeJob()
  /** Every request that was answered, in order. */
  readonly reports: Wire[] = []
  readonly arrivals: { at: number; key: string; body: string }[] = []
  /** What happens to the next requests. */
  readonly faults: (Fault | undefined)[] = []
  /** Instead of 200, for a report that this returns a reply for. */
  refuse: (report: Wire) => { status: number; detail: unknown } | undefined = () => undefined
  /** Whether the one report after a cancellation has come. */
  #isFinalTaken = false
  #inFlight = 0
  readonly #replies = new Map<string, string>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  cancel(): void {
    this.job.status = 'cancelled'
  }

  fetch: Fetch = async (_, init) => {
    if (++this.#inFlight > 1) throw new Error('two reports of a job at a time')
    try {
      await Promise.resolve()
      const fault = this.faults.shift()
      const key = new Headers(init.headers).get('idempotency-key') ?? ''
      const body = String(init.body)
      this.arrivals.push({ at: this.#now(), key, body })
      if (fault === 'dropped') throw new TypeError('fetch failed')
      if (fault === 'unavailable') return new Response('{}', { status: 503, headers: { 'retry-after': '1' } })
      const reply = this.#answer(key, body)
      if (fault === 'reply lost') throw new TypeError('fetch failed')
      if (fault === 'truncated') return new Response('{"job_id"')
      return reply
    } finally {
      this.#inFlight--
    }
  }

  #answer(key: string, body: string): Response {
    const before = this.#replies.get(key)
    if (before !== undefined) {
      if (before !== body) throw new Error('a key was used for two bodies')
      return this.#reply(200, this.#jobJson())
    }
    const report = JSON.parse(body)
    const refusal = this.refuse(report) ?? findFault(report, body)
    if (refusal !== undefined) return this.#reply(refusal.status, { detail: refusal.detail })
    const isMarked = report.mark_started || report.mark_completed || report.mark_failed !== undefined
    if (this.job.status === 'cancelled' && !isMarked && !this.#isFinalTaken) this.#isFinalTaken = true
    else if (!['pending', 'in_progress'].includes(this.job.status))
      return this.#reply(409, { detail: `Job is ${this.job.status} and takes no more reports` })
    this.#replies.set(key, body)
    this.reports.push(report)
    applyToFakeJob(this.job, report)
    return this.#reply(200, this.#jobJson())
  }

  #reply(status: number, body: unknown): Response {
    return new Response(JSON.stringify(body), { status, headers: { 'job-status': this.job.status } })
  }

  #jobJson() {
    const { status, isStarted, total, processed } = this.job
    const started_at = isStarted ? '2026-11-27T10:00:00.000Z' : null
    return { job_id: 'job_1', status, started_at, total_items: total, processed_items: processed }
  }
}

function findFault(report: Wire, body: string): { status: number; detail: unknown } | undefined {
  if (body.length > 1024 * 1024) return { status: 413, detail: 'too large' }
  const hasBoth = report.processed_items !== undefined && report.processed_delta !== undefined
  if (hasBoth) return { status: 422, detail: [{ loc: ['body', 'processed_delta'] }] }
  for (const kind of ['errors', 'warnings'])
    if ((report[kind] ?? []).length > 500) return { status: 422, detail: [{ loc: ['body', kind] }] }
  return undefined
}
