import { LIFE, LIFE_ERRORS } from './counts.ts'
import { GUESSED, MEASURED } from './measured.ts'
import { DATABASE_GB, OBJECT_GB, PRICES } from './prices.ts'
import type { Figures, Load } from './simulate-database.ts'

/** Days that objects and D1 keep a finished job: the defaults of ARCHIVE_AFTER_SECONDS and RETENTION_DAYS. */
const DAYS_IN_OBJECT = 1
const DAYS_IN_D1 = 90
const DAYS_A_MONTH = 30
const SECONDS_A_DAY = 86_400
const BYTES_A_GB = 1e9

/** What is used per second, and what a database fills up with. */
export interface Use {
  workerRequests: number
  workerCpuMs: number
  objectRequests: number
  objectGbSeconds: number
  objectRowsWritten: number
  d1RowsWritten: number
  d1RowsRead: number
}

/** What one database and its jobs use per second. Everything follows a job to its end: it is archived, and deleted from D1. */
export function useOf(load: Load, figures: Figures): Use {
  const jobs = load.jobsPerDay / SECONDS_A_DAY
  const entries = figures.reports * load.entryShare
  const { create, start, complete, alarmThatFindsAllRecorded, archive } = LIFE
  const life = [create, start, complete, alarmThatFindsAllRecorded, archive, LIFE.delete]
  const sum = (of: 'calls' | 'alarms' | 'objectRows' | 'd1RowsWritten' | 'd1RowsRead') =>
    life.reduce((total, costs) => total + costs[of], 0)
  const requests = figures.reports + jobs * sum('calls')
  const readsPerRow = LIFE.alarmThatRecords.d1RowsRead / (1 + LIFE_ERRORS)
  return {
    workerRequests: requests,
    workerCpuMs: requests * MEASURED.reportCpu,
    objectRequests: requests + figures.records + figures.alarms + jobs * sum('alarms'),
    objectGbSeconds: (figures.activeObjects + load.recorders) * OBJECT_GB,
    // An entry is two rows when it comes and two when it leaves.
    objectRowsWritten:
      figures.reports + figures.alarmRows + 4 * entries + jobs * (sum('objectRows') - 2 * LIFE_ERRORS),
    // An entry is two rows when it comes and one when it is deleted; a record with entries changes the usage, too.
    d1RowsWritten:
      figures.progressRecords +
      figures.recordsWithEntries +
      3 * entries +
      jobs * (sum('d1RowsWritten') - LIFE_ERRORS),
    d1RowsRead: (figures.progressRecords + entries) * readsPerRow + jobs * sum('d1RowsRead'),
  }
}

/** The same if an alarm started each record and no timer kept the object active meanwhile. */
export function useWithoutTimers(load: Load, figures: Figures): Use {
  const use = useOf(load, figures)
  const reporting = (figures.reports * GUESSED.reportHandling) / 1_000
  return {
    ...use,
    objectRequests: use.objectRequests + figures.progressRecords,
    objectRowsWritten: use.objectRowsWritten + figures.progressRecords,
    objectGbSeconds: (figures.recordingObjects + reporting + load.recorders) * OBJECT_GB,
  }
}

/** Dollars per second, by what is used. */
export function priceOf(use: Use): Use {
  const priced = Object.entries(use).map(([name, amount]) => [
    name,
    (amount * PRICES[name as keyof Use]) / 1e6,
  ])
  return Object.fromEntries(priced) as Use
}

export function sumOf(prices: Use): number {
  return Object.values(prices).reduce((sum, price) => sum + price, 0)
}

export function monthly(perSecond: number): number {
  return perSecond * SECONDS_A_DAY * DAYS_A_MONTH
}

interface Storage {
  /** What one database is given in a day, in GB. */
  gbPerDay: number
  /** How long it takes to fill, if nothing is deleted, in days. */
  daysToFull: number
  /** How many would hold the jobs of 90 days. */
  databasesForRetention: number
  /** How many jobs a day one holds for 90 days. */
  jobsPerDay: number
  /** Dollars a month for these, and for the objects of live jobs and those that finished today, taken to be as large. */
  monthlyPrice: number
}

export function storageOf(load: Load): Storage {
  const entries = load.liveJobs * load.reportsPerSecond * load.entryShare * SECONDS_A_DAY
  const gbPerDay = (load.jobsPerDay * MEASURED.jobBytes + entries * MEASURED.entryBytes) / BYTES_A_GB
  const daysLive = load.liveJobs / load.jobsPerDay
  return {
    gbPerDay,
    daysToFull: DATABASE_GB / gbPerDay,
    databasesForRetention: Math.ceil((gbPerDay * DAYS_IN_D1) / DATABASE_GB),
    jobsPerDay: (load.jobsPerDay * DATABASE_GB) / (gbPerDay * DAYS_IN_D1),
    monthlyPrice:
      gbPerDay * (DAYS_IN_D1 * PRICES.d1Storage + (daysLive + DAYS_IN_OBJECT) * PRICES.objectStorage),
  }
}
