import { LIFE } from './counts.ts'
import { Lags } from './lags.ts'
import { SimulatedDatabase, SimulatedRecorder } from './simulated-database.ts'
import { SimulatedJob, type Usage } from './simulated-job.ts'
import { VirtualTime } from './virtual-time.ts'

/** What one database has to carry. */
export interface Load {
  /** Evenly over the day. */
  jobsPerDay: number
  /** Unfinished at once. With `jobsPerDay`, this says how long a job lives. */
  liveJobs: number
  /** Of each live job. */
  reportsPerSecond: number
  /** Entries a report: 0.05 for one in 20 reports. */
  entryShare: number
  recorders: number
}

/** What became of it, in a second of all recorders together unless it says otherwise. Lags are in ms. */
export interface Figures {
  batches: number
  records: number
  recordsPerBatch: number
  /** Of one recorder. */
  recorderCalls: number
  /** The share of the time in which D1 worked. */
  d1Busy: number
  progress: Lags
  statuses: Lags
  reports: number
  alarms: number
  alarmRows: number
  progressRecords: number
  recordsWithEntries: number
  /** Objects of jobs that were active, and that had a record under way. */
  activeObjects: number
  recordingObjects: number
  /** Records that found no room in their recorder. */
  refused: number
}

interface Span {
  /** What passes before the figures are taken, so the pace of the recorders has settled, and while they are. In ms. */
  warmUp: number
  measured: number
}

const SPAN: Span = { warmUp: 45_000, measured: 60_000 }
const DAY = 86_400_000
const START = 1_000_000_000

/** Lets jobs live in virtual time and records them as the product does. The same load gives the same figures. */
export function simulateDatabase(load: Load, { warmUp, measured }: Span = SPAN): Figures {
  const time = new VirtualTime(START)
  const random = seeded(1)
  const database = new SimulatedDatabase(time)
  const recorders = Array.from({ length: load.recorders }, () => new SimulatedRecorder(time, database))
  const usage: Usage = {
    isOn: false,
    onSince: 0,
    progress: new Lags(),
    statuses: new Lags(),
    alarms: 0,
    alarmRows: 0,
    progressRecords: 0,
    recordsWithEntries: 0,
    active: 0,
    recording: 0,
  }
  const jobs: SimulatedJob[] = []
  const lifetime = (load.liveJobs / load.jobsPerDay) * DAY
  const addJob = (finishAt: number, start: { createdAt: number } | { interval: number }) => {
    const recorder = recorders[jobs.length % load.recorders] as SimulatedRecorder
    const period = 1_000 / load.reportsPerSecond
    const life = { jobId: `job-${jobs.length}`, finishAt, period, entryShare: load.entryShare, ...start }
    jobs.push(new SimulatedJob(time, recorder, usage, life, random))
  }
  const interval = Math.min(30_000, Math.max(1_000, (load.liveJobs / load.recorders) * 10))
  for (let n = 0; n < load.liveJobs; n++) addJob(START + random() * lifetime, { interval })
  const end = START + warmUp + measured
  for (let at = START; at < end; at += -Math.log(1 - random()) * (DAY / load.jobsPerDay)) {
    if (at > START) addJob(at + lifetime, { createdAt: at })
    // An older job is archived meanwhile.
    time.at(at, () => database.query(LIFE.archive.d1Calls))
  }

  time.runUntil(START + warmUp)
  const before = { busy: database.busy, ...sumOf(recorders) }
  usage.isOn = true
  usage.onSince = time.now
  time.runUntil(end)
  for (const job of jobs) job.count()
  const after = sumOf(recorders)
  const perSecond = (sum: number) => (sum / measured) * 1_000
  const records = after.records - before.records
  const batches = after.batches - before.batches
  return {
    batches: perSecond(batches),
    records: perSecond(records),
    recordsPerBatch: batches === 0 ? 0 : records / batches,
    recorderCalls: perSecond(after.calls - before.calls) / load.recorders,
    d1Busy: (database.busy - before.busy) / measured,
    progress: usage.progress,
    statuses: usage.statuses,
    reports: load.liveJobs * load.reportsPerSecond,
    alarms: perSecond(usage.alarms),
    alarmRows: perSecond(usage.alarmRows),
    progressRecords: perSecond(usage.progressRecords),
    recordsWithEntries: perSecond(usage.recordsWithEntries),
    activeObjects: usage.active / measured,
    recordingObjects: usage.recording / measured,
    refused: after.refused - before.refused,
  }
}

function sumOf(recorders: SimulatedRecorder[]) {
  const sums = { calls: 0, batches: 0, records: 0, refused: 0 }
  for (const { calls, batches, records, refused } of recorders) {
    sums.calls += calls
    sums.batches += batches
    sums.records += records
    sums.refused += refused
  }
  return sums
}

/** Mulberry32: numbers from 0 up to 1, the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
