import type { Env } from '../env.ts'
import type { Job, JobKey, JobStatus } from '../jobs/job.ts'
import type { Placement } from '../jobs/placement.ts'
import { jobFields, logError, logJobError } from '../log.ts'
import { recorderOf } from '../recorder/address.ts'
import { MAX_INTERVAL, MIN_INTERVAL } from '../recorder/pace.ts'
import type { RecordReply } from '../recorder/recorder-object.ts'
import type { Recorded } from '../store/find-job.ts'
import { type PackedRecord, packRecord } from '../store/record-jobs.ts'
import { within } from '../within.ts'
import type { Home } from './home.ts'
import type { JobHolder } from './job-holder.ts'
import type { LiveJob } from './live-job.ts'
import type { Progress } from './upgrade-journal.ts'

/** How long the reply to a change of status waits for D1 to record it, in ms. After that it goes out anyway. */
const STATUS_TIMEOUT_MS = 2_000
/** How soon a status is recorded that was not recorded at once, in ms. */
const STATUS_INTERVAL = 5_000
/** How long after a record the journal learns of it, in ms: an object hibernates once it has been idle for longer. */
const SAVE_AFTER = 2_000
/** How long to wait before a call is repeated whose recorder was killed, in ms. */
const CALL_AGAIN_AFTER = 50
/** How long an object that slept goes by what the recorder said before, in ms. */
const REMEMBERED_FOR = 2 * MAX_INTERVAL
/** How long a recorder may take, in ms. A record may still land after that: its fence makes it harmless. */
const TIMEOUT_MS = 60_000

/**
 * Brings the job's record in D1 up to date through the recorder, one record at a time, as often as the recorder says. It
 * lives only in memory; the object's alarm takes over after a crash or an eviction.
 */
export class RecordSender {
  readonly #env: Env
  readonly #recorders: number
  readonly #home: Home
  readonly #holder: JobHolder
  #pass: Promise<boolean> | undefined
  /** The status in the last record sent. */
  #sentStatus: JobStatus | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The time between two records, in ms; undefined until this instance has sent one. */
  #interval: number | undefined
  #saving: ReturnType<typeof setTimeout> | undefined

  /** Records the live job that `holder` holds, if it holds one; there are so many `recorders`. */
  constructor(env: Env, recorders: number, home: Home, holder: JobHolder) {
    this.#env = env
    this.#recorders = recorders
    this.#home = home
    this.#holder = holder
  }

  /** Schedules a record: in about a second while few jobs are live. */
  soon(): void {
    if (this.#timer !== undefined || this.#pass !== undefined || !this.#holder.live?.isBehind) return
    const { recorded, job } = this.#holder.live
    const interval = this.#interval ?? lastInterval(recorded, Date.now())
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        void this.now()
      },
      recorded.status === job.status ? interval : Math.min(interval, STATUS_INTERVAL),
    )
  }

  /** Records what D1 lacks, or joins the record under way. False if D1 did not take it; never throws. */
  now(): Promise<boolean> {
    return this.#pass ?? this.#start()
  }

  #start(): Promise<boolean> {
    const pass = this.#sendAll().finally(() => {
      if (this.#pass === pass) this.#pass = undefined
      this.soon()
      this.#saveSoon()
    })
    this.#pass = pass
    return pass
  }

  /**
   * Waits until D1 has the job's status or a later state, but no longer than `STATUS_TIMEOUT_MS`. A failure ends the wait;
   * a late record goes on.
   */
  async untilRecorded({ status, revision }: { status: JobStatus; revision: number }): Promise<void> {
    const deadline = Date.now() + STATUS_TIMEOUT_MS
    const isRecorded = () => {
      const recorded = this.#holder.live?.recorded
      return recorded === undefined || recorded.revision >= revision || recorded.status === status
    }
    // A record under way that has another status may wait behind those of other jobs: it is superseded.
    if (!isRecorded() && this.#pass !== undefined && this.#sentStatus !== status) this.#start()
    // The clock may have been set back meanwhile.
    const left = () => Math.min(deadline - Date.now(), STATUS_TIMEOUT_MS)
    while (!isRecorded() && (await within(left(), this.now(), false))) {}
  }

  /**
   * Has the journal learn what D1 has, unless a report does that first: an object that hibernates would forget it, and
   * record all of the job again when it wakes.
   */
  #saveSoon(): void {
    if (this.#saving !== undefined || (this.#holder.live?.isRecordedSaved ?? true)) return
    this.#saving = setTimeout(() => {
      this.#saving = undefined
      const { live } = this.#holder
      try {
        live?.saveRecorded()
      } catch (error) {
        if (live !== undefined) logJobError('job_not_saved', live.key, error)
      }
    }, SAVE_AFTER)
  }

  async #sendAll(): Promise<boolean> {
    try {
      let isUnfinished = this.#holder.live?.isBehind ?? false
      let conflicts = 0
      while (isUnfinished) {
        const { live } = this.#holder
        if (live === undefined) break
        const record = live.nextRecord()
        const { database } = this.#home.placement
        this.#sentStatus = record.job.status
        const reply: RecordReply | undefined = await within(
          TIMEOUT_MS,
          this.#call(live.key, database, packRecord(record)),
          undefined,
        )
        // A call brought a newer placement meanwhile: the other database lacks all of it.
        if (this.#home.placement.database !== database) continue
        if (!reply?.ok) throw new Error('the recorder did not take the record')
        this.#interval = reply.again
        const { recording } = reply
        if (recording === 'superseded') return true
        if (recording.landed) live.markRecorded(record, reply.again)
        else if ('moved' in recording) this.#follow(live, recording.moved)
        else if (isNewerOfOwn(recording.stored, record.job, live.job)) return true
        else if (++conflicts > 1) throw new Error('D1 keeps having a newer record')
        else await this.#settle(live, recording.stored)
        isUnfinished = record.unfinished || !recording.landed
      }
      return true
    } catch (error) {
      this.#interval = Math.min(MAX_INTERVAL, (this.#interval ?? MIN_INTERVAL) * 2)
      const { live } = this.#holder
      if (live !== undefined) logJobError('job_not_recorded', live.key, error)
      return false
    }
  }

  /** Calls the recorder, and once more if it was killed meanwhile. */
  async #call(key: JobKey, database: string, record: PackedRecord): Promise<RecordReply> {
    const call = () => recorderOf(this.#env, database, this.#recorders, key).record(record, database)
    try {
      return await call()
    } catch {
      await scheduler.wait(CALL_AGAIN_AFTER)
      return await call()
    }
  }

  /** Goes on in the database where the organization has gone. */
  #follow(live: LiveJob, moved: Placement): void {
    if (!this.#home.learn(moved)) throw new Error('the organization has left its database')
    live.markLost('everything')
  }

  /**
   * D1 has a state of this job that this object never wrote. The journal wins, because it is what was acknowledged,
   * unless there is nothing in it but the creation. The log names both states.
   */
  async #settle(live: LiveJob, stored: Recorded): Promise<void> {
    const { epoch, revision } = live.job
    const isYielding = await this.#holder.yieldTo(stored)
    logError(
      'record_conflict',
      {
        ...jobFields(live.key),
        kept: isYielding ? 'stored' : 'own',
        epoch,
        revision,
        stored_epoch: stored.epoch,
        stored_revision: stored.revision,
      },
      new Error('D1 has a state of this job that its object never wrote'),
    )
    if (!isYielding) live.supersede(stored.epoch)
  }
}

/**
 * Whether D1 has a newer state than the one sent, but one that this object wrote: two records were under way, and the
 * recorder that had the older one was killed. The newer one's own reply marks it as recorded.
 */
function isNewerOfOwn(stored: Recorded, sent: Job, job: Job): boolean {
  return (
    stored.createdAt === job.createdAt &&
    stored.epoch === job.epoch &&
    stored.revision > sent.revision &&
    stored.revision <= job.revision
  )
}

/**
 * The interval that the recorder asked for before the object slept. Without it, each report of a job that reports every 20 s
 * would be a record of its own, whatever the load.
 */
function lastInterval({ pace }: Progress, now: number): number {
  const isRecent = pace !== undefined && pace.at <= now && now < pace.at + REMEMBERED_FOR
  return isRecent ? pace.interval : MIN_INTERVAL
}
