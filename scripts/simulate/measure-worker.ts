import { applyReport } from '../../src/jobs/apply-report.ts'
import { createJob, type NewJob } from '../../src/jobs/create-job.ts'
import type { Job, Report, ReportedEntry } from '../../src/jobs/job.ts'
import { jobIdOf } from '../../src/jobs/job-id.ts'
import { findRecorded } from '../../src/store/find-job.ts'
import { type JobRecord, packRecord, recordJobs } from '../../src/store/record-jobs.ts'
import { openStore } from '../../src/store/store.ts'

export { JobObject } from '../../src/job-object/job-object.ts'
export { RecorderObject } from '../../src/recorder/recorder-object.ts'

/** What `measure.ts` prints. Times are in ms: the lower quartile, since whatever else runs only adds to them. */
export interface Measured {
  /** The time of a batch of so many records: of progress, of statuses, of progress with one entry each. */
  batches: { records: number; progress: number; status: number; entries: number }[]
  /** The time of one small query, of many one after another. */
  query: number
  /** Bytes in D1, indexes included. */
  jobBytes: number
  entryBytes: number
  /** The size of their JSON on the way there. */
  rowCharacters: number
  entryCharacters: number
}

const JOBS = 20_000
const SIZES = [1, 10, 50, 100, 200, 350, 500]
const REPEATS = 40
const QUERIES = 20

const NEW_JOB: NewJob = {
  jobType: 'import',
  totalItems: 5_000,
  metadata: { source: 'sftp', file: 'products-2026-11-27.csv' },
  labels: { supplier: 'acme', market: 'de' },
  parentJobId: null,
  triggeredBy: 'user-7',
  stallAfterSeconds: null,
  startWithinSeconds: null,
  finishWithinSeconds: null,
  callbackUrl: null,
}
const ERROR: ReportedEntry = {
  entityKey: 'sku-00001234',
  entityType: 'product',
  errorType: 'missing_price',
  message: 'The price is missing, so the product was skipped',
  step: 'validate',
  details: { row: 1_234, column: 'price' },
}

/** Measures D1 inside the runtime, where the recorder calls it. */
export default {
  async fetch(_, env): Promise<Response> {
    return Response.json(await measure(env.DB))
  },
} satisfies ExportedHandler<{ DB: D1Database }>

async function measure(database: D1Database): Promise<Measured> {
  const store = openStore(database)
  const size = async () => (await database.prepare('select 1').run()).meta.size_after
  const empty = await size()
  const jobs = Array.from({ length: JOBS }, (_, n) => aRecord(n))
  for (let from = 0; from < JOBS; from += 500)
    await recordJobs(store, jobs.slice(from, from + 500).map(packRecord))
  const filled = await size()

  let next = 0
  const take = (records: number) =>
    Array.from({ length: records }, () => {
      next += 7
      return jobs[next % JOBS] as JobRecord
    })
  const time = async (records: number, change: Partial<JobRecord>, report: Report): Promise<number> => {
    const packed = take(records).map((record) => {
      const { job, entries } = apply(record.job, report)
      record.job = job
      return packRecord({ ...record, entries, ...change })
    })
    return await timeOf(() => recordJobs(store, packed))
  }

  const batches: Measured['batches'] = []
  for (const records of SIZES) {
    const progress = await lowerQuartile(() =>
      time(records, { onlyProgress: true }, { processedItems: ++next }),
    )
    const status = await lowerQuartile(() => time(records, {}, { processedItems: ++next }))
    batches.push({ records, progress, status, entries: 0 })
  }
  const withoutEntries = await size()
  let entries = 0
  for (const batch of batches) {
    const report = { errors: [ERROR] }
    batch.entries = await lowerQuartile(() => time(batch.records, { onlyProgress: true }, report))
    entries += batch.records * REPEATS
  }
  const entryBytes = ((await size()) - withoutEntries) / entries
  const queries = await lowerQuartile(() =>
    timeOf(async () => {
      for (const { key } of take(QUERIES)) await findRecorded(store, key)
    }),
  )

  const [sample] = take(1).map((record) =>
    packRecord({ ...record, ...apply(record.job, { errors: [ERROR] }) }),
  )
  return {
    batches,
    query: queries / QUERIES,
    jobBytes: (filled - empty) / JOBS,
    entryBytes,
    rowCharacters: sample?.row.length ?? 0,
    entryCharacters: sample?.entries.length ?? 0,
  }
}

/** A job in the middle of its life, with all its samples and two stages. */
function aRecord(n: number): JobRecord {
  const key = { organizationId: `org_${n % 50}`, jobId: jobIdOf(crypto.randomUUID()) }
  let job = createJob(key.jobId, NEW_JOB, Date.now())
  for (let report = 0; report < 25; report++) {
    const stage = report < 12 ? 'downloading' : 'uploading'
    job = apply(
      job,
      { ...(report === 0 && { markStarted: true }), processedItems: report, stage },
      15_000,
    ).job
  }
  return { key, job, entries: [], unfinished: false, onlyProgress: false }
}

function apply(job: Job, report: Report, after = 0) {
  const outcome = applyReport(job, report, job.updatedAt + after, () => 'clean', Number.POSITIVE_INFINITY)
  if (!outcome.ok) throw new Error(outcome.reason)
  return outcome
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

async function lowerQuartile(work: () => Promise<number>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < REPEATS; n++) times.push(await work())
  return times.toSorted((a, b) => a - b)[REPEATS >> 2] ?? 0
}
