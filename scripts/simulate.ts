/** `npm run simulate`: what a load does to recorders and D1, and what it costs, in virtual time. */
import { parseArgs } from 'node:util'
import { findLimit, passedBounds } from './simulate/find-limit.ts'
import { GUESSED, MEASURED } from './simulate/measured.ts'
import { monthly, priceOf, storageOf, sumOf, type Use, useOf, useWithoutTimers } from './simulate/price.ts'
import { type Figures, type Load, simulateDatabase } from './simulate/simulate-database.ts'

const USAGE = `Usage: npm run simulate -- [options]

Without options: 1,000,000 jobs a day on one database, and ten times that on ten; then where each breaks.

  --jobs N         jobs a day (1,000,000)
  --live N         unfinished jobs at once (50,000)
  --reports N      reports a second of a live job (1)
  --entries N      entries a report (0.05)
  --recorders N    recorders before each database (1)
  --databases N    databases, which share the jobs evenly (1)
`

interface Scenario {
  name: string
  databases: number
  /** Of one of the databases. */
  load: Load
}

const NAMES: Record<keyof Use, string> = {
  workerRequests: 'Workers: requests',
  workerCpuMs: 'Workers: CPU',
  objectRequests: 'Objects: requests',
  objectGbSeconds: 'Objects: duration',
  objectRowsWritten: 'Objects: rows written',
  d1RowsWritten: 'D1: rows written',
  d1RowsRead: 'D1: rows read',
}

const options = readOptions()
const scenarios: Scenario[] = options
  ? [scenario(options.databases, options)]
  : [
      scenario(1, { recorders: 1 }),
      scenario(1, { recorders: 4 }),
      scenario(10, { recorders: 4, jobs: 10_000_000, live: 500_000 }),
    ]
const { batch, progressRecord, statusRecord, entry } = MEASURED
console.log(
  `D1 takes ${batch} ms for a batch, ${progressRecord} for each record of progress in it, ${statusRecord} for a status, ` +
    `${entry} for an entry (measured);\nthe way to D1 and back ${GUESSED.d1RoundTrip} ms, to a recorder ${GUESSED.objectCall} ms (guessed).\n`,
)
printScenarios(scenarios)
if (!options) printLimits()

function readOptions() {
  const number = { type: 'string' } as const
  try {
    const { values } = parseArgs({
      options: {
        jobs: number,
        live: number,
        reports: number,
        entries: number,
        recorders: number,
        databases: number,
        help: { type: 'boolean' },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    if (Object.keys(values).length === 0) return undefined
    const read = (name: Exclude<keyof typeof values, 'help'>, byDefault: number, least: number) => {
      const value = Number(values[name] ?? byDefault)
      if (!(value >= least && value < 1e9))
        throw new Error(`--${name} ${values[name]} is not a number that can be simulated`)
      return value
    }
    return {
      jobs: read('jobs', 1_000_000, 1),
      live: read('live', 50_000, 1),
      reports: read('reports', 1, 0.001),
      entries: read('entries', 0.05, 0),
      recorders: Math.floor(read('recorders', 1, 1)),
      databases: Math.floor(read('databases', 1, 1)),
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}

function scenario(
  databases: number,
  { jobs = 1_000_000, live = 50_000, reports = 1, entries = 0.05, recorders = 1 },
): Scenario {
  const load = {
    jobsPerDay: jobs / databases,
    liveJobs: Math.ceil(live / databases),
    reportsPerSecond: reports,
    entryShare: entries,
    recorders,
  }
  return { name: `${count(jobs)} jobs a day`, databases, load }
}

function printScenarios(all: Scenario[]): void {
  const known = new Map<string, Figures>()
  const columns = all.map(({ name, databases, load }) => {
    // Databases share nothing: ten of them with ten times the load are ten times the same.
    const figures = known.get(JSON.stringify(load)) ?? simulateDatabase(load)
    known.set(JSON.stringify(load), figures)
    const { progress, statuses } = figures
    const use = useOf(load, figures)
    const prices = priceOf(use)
    const storage = storageOf(load)
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(ms < 1_000 ? 2 : 1)} s`
    const millionReports = (price: number) => `$${((price / figures.reports) * 1e6).toFixed(2)}`
    const perJob = (price: number) => `$${((price * 86_400) / load.jobsPerDay).toFixed(4)}`
    const perMonth = (price: number) => `$${count(monthly(price) * databases)}`
    const total = sumOf(prices)
    const withoutTimers = sumOf(priceOf(useWithoutTimers(load, figures)))
    return [
      ['', name],
      ['live at once', count(load.liveJobs * databases)],
      ['reports a second', count(figures.reports * databases)],
      ['databases × recorders', `${databases} × ${load.recorders}`],
      ['batches a second: a recorder', (figures.batches / load.recorders).toFixed(1)],
      ['  in all', count(figures.batches * databases)],
      ['records a batch', figures.recordsPerBatch.toFixed()],
      ['calls a second: a recorder', figures.recorderCalls.toFixed()],
      ['D1 busy', `${(figures.d1Busy * 100).toFixed()} %`],
      ['lag of progress: p50', seconds(progress.quantile(0.5))],
      ['  p99', seconds(progress.quantile(0.99))],
      ['  max', seconds(progress.max)],
      ['lag of a status: p50', seconds(statuses.quantile(0.5))],
      ['  p99', seconds(statuses.quantile(0.99))],
      ['  max', seconds(statuses.max)],
      ['alarms for 100 records', ((figures.alarms / figures.records) * 100).toFixed()],
      ['objects active at once', count(figures.activeObjects * databases)],
      ['D1 rows written a second', count(use.d1RowsWritten * databases)],
      ['D1 rows read a second', count(use.d1RowsRead * databases)],
      ['a million reports: D1 rows written', count((use.d1RowsWritten / figures.reports) * 1e6)],
      ['  object rows written', count((use.objectRowsWritten / figures.reports) * 1e6)],
      ...Object.entries(NAMES).map(([of, words]) => [`  ${words}`, millionReports(prices[of as keyof Use])]),
      ['  sum', millionReports(total)],
      ['  sum if an alarm replaced the timer', millionReports(withoutTimers)],
      ['a job', perJob(total)],
      ['  if an alarm replaced the timer', perJob(withoutTimers)],
      ['a month, without storage', perMonth(total)],
      ['  if an alarm replaced the timer', perMonth(withoutTimers)],
      ['storage, once 90 days are kept', `$${count(storage.monthlyPrice * databases)}`],
      ['a day fills of each database', `${storage.gbPerDay.toFixed(1)} GB`],
      ['  full after', `${storage.daysToFull.toFixed(1)} days`],
      ['  databases that hold 90 days', count(storage.databasesForRetention * databases)],
    ]
  })
  for (const [at, [label]] of (columns[0] ?? []).entries()) {
    console.log(
      (label ?? '').padEnd(38) + columns.map((column) => (column[at]?.[1] ?? '').padStart(22)).join(''),
    )
  }
  for (const { name, databases, load } of all) {
    const passed = passedBounds(known.get(JSON.stringify(load)) ?? simulateDatabase(load))
    const title = `${name}, ${databases} × ${load.recorders}`
    console.log(`\n${title}: ${passed.length === 0 ? 'every bound holds' : `too much: ${passed.join(', ')}`}`)
  }
  console.log()
}

function printLimits(): void {
  console.log('Where one database breaks first, with 1 and 4 recorders\n')
  const base = scenario(1, {}).load
  const full = count(storageOf(base).jobsPerDay)
  const fullWithout = count(storageOf({ ...base, entryShare: 0 }).jobsPerDay)
  console.log(`  size: 10 GB hold ${full} jobs a day for 90 days; ${fullWithout} if they have no entries`)
  for (const recorders of [1, 4]) {
    const { load, passed } = findLimit((factor) => ({
      ...base,
      recorders,
      liveJobs: Math.round(4_000 * factor),
      jobsPerDay: 80_000 * factor,
    }))
    printLimit(`${recorders} × 1 report a second: ${count(load.liveJobs)} live jobs`, passed)
  }
  for (const recorders of [1, 4]) {
    const { load, passed } = findLimit((factor) => ({ ...base, recorders, reportsPerSecond: factor / 64 }))
    const period = (1 / load.reportsPerSecond).toFixed(1)
    printLimit(`${recorders} × 50,000 live jobs: a report every ${period} s`, passed)
  }
}

function printLimit(holds: string, passed: string[]): void {
  console.log(`  ${holds}; beyond that, ${passed.join(', ')}`)
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}
