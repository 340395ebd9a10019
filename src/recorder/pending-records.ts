import type { PackedRecord, Recording } from '../store/record-jobs.ts'

/** Bounds of one batch. D1 takes values of up to 2 MB; a character of JSON may take several bytes. */
const MAX_BATCH_RECORDS = 500
const MAX_BATCH_CHARACTERS = 1_000_000
/** Bounds of what waits, so a D1 that hangs does not fill the memory. A job that finds no room comes again. */
const MAX_PENDING_RECORDS = 20_000
const MAX_PENDING_CHARACTERS = 32_000_000

/** A record that a job's object waits for. */
export interface Pending {
  record: PackedRecord
  settle(result: Recording | Error): void
}

/**
 * The records that wait for the next batch: those that change a status, those that do not, and those of jobs that D1
 * refused before, which go alone.
 */
export class PendingRecords {
  #urgent: Pending[] = []
  #others: Pending[] = []
  #suspect: Pending[] = []
  #characters = 0

  /** False if there is no room for it. A `suspect` one goes in a batch of its own, after the others. */
  add(pending: Pending, isSuspect: boolean): boolean {
    const characters = this.#characters + charactersOf(pending)
    const isFull = this.#count >= MAX_PENDING_RECORDS || characters > MAX_PENDING_CHARACTERS
    if (isFull && this.#count > 0) return false
    this.#characters = characters
    const queue = isSuspect ? this.#suspect : pending.record.onlyProgress ? this.#others : this.#urgent
    queue.push(pending)
    return true
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Whether a status waits. */
  get isUrgent(): boolean {
    return this.#urgent.length > 0
  }

  /** Takes the records of the next batch: as many as fit, at least one, and of each job only the first. */
  take(): Pending[] {
    const batch =
      this.#urgent.length + this.#others.length > 0 ? this.#takeFitting() : this.#suspect.splice(0, 1)
    for (const pending of batch) this.#characters -= charactersOf(pending)
    return batch
  }

  #takeFitting(): Pending[] {
    const batch: Pending[] = []
    const left: Pending[] = []
    const jobs = new Set<string>()
    let characters = 0
    for (const pending of [...this.#urgent, ...this.#others]) {
      const sum = characters + charactersOf(pending)
      const fits = batch.length === 0 || (batch.length < MAX_BATCH_RECORDS && sum <= MAX_BATCH_CHARACTERS)
      if (fits && !jobs.has(nameOf(pending.record))) {
        jobs.add(nameOf(pending.record))
        batch.push(pending)
        characters = sum
      } else {
        left.push(pending)
      }
    }
    this.#urgent = left.filter(({ record }) => !record.onlyProgress)
    this.#others = left.filter(({ record }) => record.onlyProgress)
    return batch
  }

  get #count(): number {
    return this.#urgent.length + this.#others.length + this.#suspect.length
  }
}

/** What tells the jobs of a recorder apart. */
export function nameOf({ key: { organizationId, jobId } }: PackedRecord): string {
  return JSON.stringify([organizationId, jobId])
}

function charactersOf({ record }: Pending): number {
  return record.row.length + record.entries.length
}
