/** Milepost, prepared for each of the cases. */
import { type BenchOrganization, sampleError } from '../bench-organization.ts'
import { watchJob } from '../load/watch-job.ts'
import { fillList } from '../many-jobs.ts'
import type { MilepostServer } from '../servers/open-milepost.ts'
import { leadInOf, REPORT, type Spread } from './contender.ts'
import { milepost, type Prepared } from './milepost.ts'

export const HOT: Spread = { jobs: 1, connections: 64 }
export const ONE: Spread = { jobs: 1, connections: 1 }
export const MANY: Spread = { jobs: 500, connections: 64 }
export const LIVE: Spread = { jobs: 5_000, connections: 64 }
const ENTRIES = 10_000
const WATCHERS = 1_000
const LISTED = { many: 100_000, few: 1_000, connections: 4 }
const WITH_ERROR = JSON.stringify({ stage: 'uploading', processed_items: '{n}', error: sampleError('{n}') })
  // Without quotes: they become numbers.
  .replaceAll('"{n}"', '{n}')
const NEW_JOB = JSON.stringify({ job_type: 'import', total_items: 10_000_000 })

export const hot = milepost('hot', (org) => reports(org, HOT))
export const many = milepost('many', (org) => reports(org, MANY), { leadIn: leadInOf(MANY) })
export const one = milepost('one', (org) => reports(org, ONE))
export const full = milepost('full', async (org) => {
  const [job = ''] = await org.createJobs(1)
  await org.addErrors(job, ENTRIES)
  return reportsOn([job], HOT)
})
export const errors = milepost('errors', async (org) => ({ ...(await reports(org, HOT)), body: WITH_ERROR }))
export const slowD1 = milepost('slow_d1', (org) => reports(org, HOT), { wrappers: ['slow-d1'] })
export const get = milepost('get', (org) => reads(org, ''))
export const status = milepost('status', (org) => reads(org, '/status'))
export const list = milepost('list', (_org, server) => listOf(LISTED.many, server))
export const fewListed = milepost('a list of 1,000 jobs', (_org, server) => listOf(LISTED.few, server))
export const watched = milepost('watched', (org) => reports(org, HOT), {
  attend: ({ url, paths: [path = ''], headers: { Authorization = '' } }) =>
    watchJob(url + path.replace('progress', 'events'), Authorization, WATCHERS),
})
export const create = milepost('create', async () => ({
  method: 'POST',
  paths: ['/api/jobs/'],
  body: NEW_JOB,
  connections: 1,
}))
export const live = milepost(
  'live_5000',
  // Not started: that would be 5,000 more writes to D1 before the case, and a report costs the same.
  async (org) => reportsOn(await org.createJobs(LIVE.jobs, { start: false }), LIVE),
  { leadIn: leadInOf(LIVE) },
)

async function reports(org: BenchOrganization, spread: Spread): Promise<Prepared> {
  return reportsOn(await org.createJobs(spread.jobs), spread)
}

function reportsOn(jobs: string[], { connections }: Spread): Prepared {
  return { method: 'POST', paths: jobs.map((job) => `/api/jobs/${job}/progress`), body: REPORT, connections }
}

async function reads(org: BenchOrganization, suffix: string): Promise<Prepared> {
  const [job = ''] = await org.createJobs(1)
  return { method: 'GET', paths: [`/api/jobs/${job}${suffix}`], connections: 64 }
}

async function listOf(count: number, server: MilepostServer): Promise<Prepared> {
  const headers = await fillList(server, count)
  return { method: 'GET', paths: ['/api/jobs/'], headers, connections: LISTED.connections }
}
