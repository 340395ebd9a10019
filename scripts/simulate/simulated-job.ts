import type { Lags } from './lags.ts'
import { GUESSED } from './measured.ts'
import { aRecord, type SimulatedRecorder } from './simulated-database.ts'
import type { VirtualTime } from './virtual-time.ts'

/** As in `RecordSender` and `schedule.ts`, in ms. */
const MIN_INTERVAL = 1_000
const MAX_INTERVAL = 30_000
const RECORD_DELAY = 30_000
/** How many reports of one record have their lag taken. */
const SAMPLES = 16

/** What the jobs of a database use, while it is `isOn`. */
export interface Usage {
  isOn: boolean
  onSince: number
  progress: Lags
  statuses: Lags
  alarms: number
  /** Rows that alarms write. */
  alarmRows: number
  /** Records that followed from a report, and those of them that carried entries. */
  progressRecords: number
  recordsWithEntries: number
  /** How long objects were kept active: by their timers or by a record under way, and by a record alone. In ms. */
  active: number
  recording: number
}

interface Life {
  jobId: string
  /** When it was created; undefined if it was live before the simulation began. */
  createdAt?: number
  finishAt: number
  /** Reports come every so many ms. */
  period: number
  /** Entries a report: 0.05 for one in 20 reports. */
  entryShare: number
  /** The time between its records so far, in ms. */
  interval?: number
}

/** A live job's object in virtual time: the timer of its `RecordSender`, its alarm, and a report every so often. */
export class SimulatedJob {
  readonly #time: VirtualTime
  readonly #recorder: SimulatedRecorder
  readonly #usage: Usage
  readonly #life: Life
  readonly #phase: number
  readonly #startedAt: number
  /** D1 has all reports up to this time. */
  #recordedUpTo: number
  #status: number | undefined
  #isSending = false
  #sendsAgain = false
  #interval: number
  #timer: { setAt: number } | undefined
  #activeSince = 0

  constructor(
    time: VirtualTime,
    recorder: SimulatedRecorder,
    usage: Usage,
    life: Life,
    random: () => number,
  ) {
    this.#time = time
    this.#recorder = recorder
    this.#usage = usage
    this.#life = life
    this.#interval = life.interval ?? MIN_INTERVAL
    this.#startedAt = life.createdAt ?? time.now
    this.#phase = this.#startedAt + random() * life.period
    this.#recordedUpTo = this.#startedAt
    if (life.createdAt === undefined) {
      // Somewhere within its interval.
      this.#setTimer(time.now, random() * this.#interval)
      time.at(time.now + random() * RECORD_DELAY, () => this.#alarm())
    } else {
      time.at(life.createdAt, () => this.#changeStatus())
      time.at(life.createdAt + MIN_INTERVAL, () => this.#changeStatus())
      time.at(life.createdAt + RECORD_DELAY, () => this.#alarm())
    }
    time.at(life.finishAt, () => this.#changeStatus())
  }

  #changeStatus(): void {
    this.#status ??= this.#time.now
    this.#send()
  }

  /** `RecordSender.soon`: the timer is set by the first report that D1 lacks. */
  #soon(): void {
    if (this.#timer !== undefined || this.#isSending) return
    const isStatusLeft = this.#status !== undefined
    const next = isStatusLeft ? this.#time.now : this.#firstReportAfter(this.#recordedUpTo)
    if (next !== undefined) this.#setTimer(Math.max(next, this.#time.now), this.#interval)
  }

  #setTimer(setAt: number, interval: number): void {
    const timer = { setAt }
    this.#timer = timer
    if (setAt <= this.#time.now) this.#activeSince ||= this.#time.now
    else
      this.#time.at(setAt, () => {
        if (this.#timer === timer) this.#activeSince ||= setAt
      })
    this.#time.at(setAt + interval, () => {
      if (this.#timer !== timer) return
      this.#timer = undefined
      this.#send()
    })
  }

  /** `RecordSender.now`. */
  #send(): void {
    const { now } = this.#time
    if (this.#isSending) {
      this.#sendsAgain ||= this.#status !== undefined
      return
    }
    // A timer that no report has set yet.
    if (this.#timer !== undefined && this.#timer.setAt > now) this.#timer = undefined
    const reports = this.#reportsUpTo(now) - this.#reportsUpTo(this.#recordedUpTo)
    const status = this.#status
    if (status === undefined && reports === 0) {
      this.#rest()
      return
    }
    this.#isSending = true
    this.#status = undefined
    this.#activeSince ||= now
    const { entryShare, jobId } = this.#life
    const entriesUpTo = (count: number) => Math.floor(this.#phase + count * entryShare)
    const entries = entriesUpTo(this.#reportsUpTo(now)) - entriesUpTo(this.#reportsUpTo(this.#recordedUpTo))
    const record = aRecord(jobId, status === undefined, entries)
    const reply = (ok: boolean, again: number) => {
      if (ok) this.#note(now, status, entries)
      else this.#status ??= status
      this.#time.at(this.#time.now + GUESSED.objectCall / 2, () => {
        this.#isSending = false
        if (this.#usage.isOn) this.#usage.recording += this.#time.now - now
        this.#interval = ok ? again : Math.min(MAX_INTERVAL, 2 * this.#interval)
        const sendsAgain = this.#sendsAgain
        this.#sendsAgain = false
        if (sendsAgain) this.#send()
        else this.#rest()
      })
    }
    this.#time.at(now + GUESSED.objectCall / 2, () => this.#recorder.record(record, reply))
  }

  /** D1 has the reports up to `sentAt` and the status, as of now. */
  #note(sentAt: number, status: number | undefined, entries: number): void {
    const { now } = this.#time
    const { period } = this.#life
    const first = this.#firstReportAfter(this.#recordedUpTo)
    const count = this.#reportsUpTo(sentAt) - this.#reportsUpTo(this.#recordedUpTo)
    this.#recordedUpTo = sentAt
    const usage = this.#usage
    if (!usage.isOn) return
    if (status !== undefined) usage.statuses.add(now - status)
    else usage.progressRecords++
    if (entries > 0) usage.recordsWithEntries++
    const step = Math.max(1, Math.floor(count / SAMPLES))
    for (let n = 0; n < count && first !== undefined; n += step)
      usage.progress.add(now - first - n * period, step)
  }

  /** Nothing is under way: the object can sleep until the next report, unless a timer is set. */
  #rest(): void {
    const { now } = this.#time
    this.#soon()
    if (this.#timer !== undefined && this.#timer.setAt <= now) return
    this.count()
    this.#activeSince = 0
  }

  /** Adds the time for which it has been active to the usage. */
  count(): void {
    const { now } = this.#time
    if (this.#activeSince === 0) return
    if (this.#usage.isOn) this.#usage.active += now - Math.max(this.#activeSince, this.#usage.onSince)
    this.#activeSince = now
  }

  /**
   * The alarm records what D1 has lacked since the last report, if that was so long ago. It is set again for the day on
   * which the job is abandoned, and then by the next report.
   */
  #alarm(): void {
    const { now } = this.#time
    if (now >= this.#life.finishAt) return
    if (this.#usage.isOn) {
      this.#usage.alarms++
      // Itself, again by the next report, and what D1 has, if no report has saved that yet.
      const isBehind = this.#reportsUpTo(now) > this.#reportsUpTo(this.#recordedUpTo)
      this.#usage.alarmRows += isBehind ? 2 : 3
    }
    const lastReport = this.#phase + (this.#reportsUpTo(now) - 1) * this.#life.period
    if (now >= lastReport + RECORD_DELAY) this.#send()
    const next = this.#firstReportAfter(now)
    if (next !== undefined) this.#time.at(next + RECORD_DELAY, () => this.#alarm())
  }

  #firstReportAfter(at: number): number | undefined {
    const report = this.#phase + this.#reportsUpTo(at) * this.#life.period
    return report < this.#life.finishAt ? report : undefined
  }

  #reportsUpTo(at: number): number {
    const until = Math.min(at, this.#life.finishAt)
    return until < this.#phase ? 0 : Math.floor((until - this.#phase) / this.#life.period) + 1
  }
}
