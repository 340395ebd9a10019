import { nameOf } from '../../src/jobs/job.ts'
import { MIN_BATCH_INTERVAL, Pace } from '../../src/recorder/pace.ts'
import { type Pending, PendingRecords } from '../../src/recorder/pending-records.ts'
import type { PackedRecord } from '../../src/store/record-jobs.ts'
import { GUESSED, MEASURED } from './measured.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A D1 database: it does one thing at a time, in the order in which it is asked. Times are in ms. */
export class SimulatedDatabase {
  readonly #time: VirtualTime
  #freeAt = 0
  /** How long it has worked. */
  busy = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  write(batch: Pending[], entriesOf: (record: PackedRecord) => number, done: () => void): void {
    let work = MEASURED.batch
    for (const { record } of batch) {
      work += record.onlyProgress ? MEASURED.progressRecord : MEASURED.statusRecord
      work += MEASURED.entry * entriesOf(record)
    }
    this.#do(work, done)
  }

  /** Queries one after another, each its own round trip: those of an archiving job. */
  query(times: number): void {
    if (times > 0) this.#do(MEASURED.query, () => this.query(times - 1))
  }

  #do(work: number, done: () => void): void {
    const oneWay = GUESSED.d1RoundTrip / 2
    this.#freeAt = Math.max(this.#freeAt, this.#time.now + oneWay) + work
    this.busy += work
    this.#time.at(this.#freeAt + oneWay, done)
  }
}

/** `RecorderObject` in virtual time: the same queue, the same pace, the same loop. */
export class SimulatedRecorder {
  readonly #time: VirtualTime
  readonly #database: SimulatedDatabase
  readonly #pending = new PendingRecords()
  readonly #pace = new Pace()
  #isRunning = false
  #wake: (() => void) | undefined
  calls = 0
  batches = 0
  records = 0
  /** Records that found no room. */
  refused = 0

  constructor(time: VirtualTime, database: SimulatedDatabase) {
    this.#time = time
    this.#database = database
  }

  /** Calls back once the record is in D1, or did not fit, with the time until the job's next record. */
  record(record: PackedRecord, reply: (ok: boolean, again: number) => void): void {
    this.calls++
    const settle = (result: unknown) =>
      reply(!(result instanceof Error), this.#pace.next(nameOf(record.key), this.#time.now))
    if (!this.#pending.add({ record, settle }, false)) {
      this.refused++
      settle(new Error('no room'))
      return
    }
    if (this.#pending.isUrgent) this.#wake?.()
    if (!this.#isRunning) this.#run()
  }

  #run(): void {
    this.#isRunning = !this.#pending.isEmpty
    if (!this.#isRunning) return
    const startedAt = this.#time.now
    const batch = this.#pending.take()
    this.batches++
    this.records += batch.length
    this.#database.write(batch, entriesOf, () => {
      for (const { settle } of batch) settle({ landed: true })
      if (this.#pending.isUrgent) {
        this.#run()
        return
      }
      const wake = () => {
        if (this.#wake !== wake) return
        this.#wake = undefined
        this.#run()
      }
      this.#wake = wake
      this.#time.at(startedAt + MIN_BATCH_INTERVAL, wake)
    })
  }
}

const rows = 'x'.repeat(MEASURED.rowCharacters)
const texts: string[] = []

/** A record of the measured size. */
export function aRecord(jobId: string, onlyProgress: boolean, entries: number): PackedRecord {
  texts[entries] ??= 'x'.repeat(MEASURED.entryCharacters * entries)
  return {
    key: { organizationId: 'org', jobId },
    unfinished: false,
    onlyProgress,
    state: { epoch: 0, revision: 1, status: 'in_progress', createdAt: 0 },
    row: rows,
    bytes: rows.length,
    entries: texts[entries],
  }
}

function entriesOf({ entries }: PackedRecord): number {
  return entries.length / MEASURED.entryCharacters
}
