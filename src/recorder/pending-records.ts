import { nameOf } from '../jobs/job.ts'
import type { PackedRecord, Recording } from '../store/record-jobs.ts'

/** Bounds of one batch. D1 takes values of up to 2 MB. */
const MAX_BATCH_RECORDS = 500
const MAX_BATCH_BYTES = 1_000_000
/** The share of a batch that statuses may take while others wait. */
const URGENT_SHARE = 0.8

/** A record that a job's object waits for. */
export interface Pending {
  record: PackedRecord
  settle(result: Recording | 'superseded' | Error): void
}

/**
 * The records that wait for the next batch: those that change a status, those that do not, and those of jobs that D1
 * refused before, which go alone.
 */
export class PendingRecords {
  #urgent: Pending[] = []
  #others: Pending[] = []
  #suspect: Pending[] = []
  /** Jobs with a record that waits: one each. */
  readonly #names = new Set<string>()
  readonly #room = new Room()
  #isSuspectsTurn = false

  /**
   * False if there is no room for it. It takes the place of an older record of its job. A `suspect` one goes in a batch of
   * its own, in turn with the others.
   */
  add(pending: Pending, isSuspect: boolean): boolean {
    this.#supersede(nameOf(pending.record.key))
    if (!this.#room.has(pending.record)) return false
    this.#room.take(pending.record)
    this.#names.add(nameOf(pending.record.key))
    const queue = isSuspect ? this.#suspect : pending.record.onlyProgress ? this.#others : this.#urgent
    queue.push(pending)
    return true
  }

  get isEmpty(): boolean {
    return this.#names.size === 0
  }

  /** Whether a status waits. */
  get isUrgent(): boolean {
    return this.#urgent.length > 0
  }

  /** Takes the records of the next batch: as many as fit, and at least one. */
  take(): Pending[] {
    const hasOthers = this.#urgent.length + this.#others.length > 0
    const isSuspect = this.#suspect.length > 0 && (this.#isSuspectsTurn || !hasOthers)
    this.#isSuspectsTurn = !isSuspect
    const batch = isSuspect ? this.#suspect.splice(0, 1) : this.#takeFitting()
    for (const { record } of batch) {
      this.#room.release(record)
      this.#names.delete(nameOf(record.key))
    }
    return batch
  }

  #takeFitting(): Pending[] {
    const batch: Pending[] = []
    let bytes = 0
    const takeFrom = (queue: Pending[], share: number): Pending[] => {
      const left: Pending[] = []
      for (const pending of queue) {
        const sum = bytes + pending.record.bytes
        const fits = batch.length < MAX_BATCH_RECORDS * share && sum <= MAX_BATCH_BYTES * share
        if (!fits && batch.length > 0) {
          left.push(pending)
          continue
        }
        batch.push(pending)
        bytes = sum
      }
      return left
    }
    this.#urgent = takeFrom(this.#urgent, this.#others.length > 0 ? URGENT_SHARE : 1)
    this.#others = takeFrom(this.#others, 1)
    return batch
  }

  /** Drops the record of a job that still waits: the job has sent a newer one. */
  #supersede(name: string): void {
    if (!this.#names.delete(name)) return
    for (const queue of [this.#urgent, this.#others, this.#suspect]) {
      const at = queue.findIndex(({ record }) => nameOf(record.key) === name)
      const [older] = at === -1 ? [] : queue.splice(at, 1)
      if (older === undefined) continue
      this.#room.release(older.record)
      older.settle('superseded')
    }
  }
}

/** Bounds of what waits, so a D1 that hangs does not fill the memory. A job that finds no room comes again. */
const MAX_RECORDS = 20_000
const MAX_BYTES = 32_000_000
/** The share of it that records without a new status may take, so a status always finds room, … */
const PROGRESS_SHARE = 0.75
/** … and that one organization may take. */
const ORGANIZATION_SHARE = 0.5

interface Taken {
  records: number
  bytes: number
}

/** The room for records that wait. */
class Room {
  readonly #all: Taken = { records: 0, bytes: 0 }
  readonly #byOrganization = new Map<string, Taken>()

  has({ key, onlyProgress, bytes }: PackedRecord): boolean {
    const share = onlyProgress ? PROGRESS_SHARE : 1
    const own = this.#byOrganization.get(key.organizationId)
    return (
      isWithin(this.#all, bytes, share) &&
      (own === undefined || isWithin(own, bytes, share * ORGANIZATION_SHARE))
    )
  }

  take({ key, bytes }: PackedRecord): void {
    this.#change(key.organizationId, 1, bytes)
  }

  release({ key, bytes }: PackedRecord): void {
    this.#change(key.organizationId, -1, -bytes)
  }

  #change(organizationId: string, records: number, bytes: number): void {
    const own = this.#byOrganization.get(organizationId) ?? { records: 0, bytes: 0 }
    for (const taken of [this.#all, own]) {
      taken.records += records
      taken.bytes += bytes
    }
    if (own.records > 0) this.#byOrganization.set(organizationId, own)
    else this.#byOrganization.delete(organizationId)
  }
}

/** Whether there is room for one more. The first always finds some. */
function isWithin(taken: Taken, bytes: number, share: number): boolean {
  if (taken.records === 0) return true
  return taken.records < MAX_RECORDS * share && taken.bytes + bytes <= MAX_BYTES * share
}
