import type { EntryKind } from './job.ts'
import type { ReportedEntry } from './report.ts'

/** What the entries so far say of one entity: nothing, a warning at most, or that it failed. */
export type Standing = 'clean' | 'warned' | 'failed'

/** Looks up an entity's standing in one job. Synchronous: a report is applied without a pause. */
export type StandingOf = (entityType: string, entityKey: string) => Standing

/** An entity whose standing a report changed. */
export interface StandingChange {
  entityType: string
  entityKey: string
  standing: Standing
}

/** Counts distinct failed and warned entities while the entries of one report are added one by one. */
export class Tally {
  readonly #before: StandingOf
  readonly #changed = new Map<string, StandingChange>()
  failedItems: number
  warnedItems: number

  constructor(counts: { failedItems: number; warnedItems: number }, before: StandingOf) {
    this.failedItems = counts.failedItems
    this.warnedItems = counts.warnedItems
    this.#before = before
  }

  add(kind: EntryKind, { entityType, entityKey }: ReportedEntry): void {
    // An error of the job itself is no item: it says that the run went wrong, not that a row did.
    if (entityType === 'job') return
    const id = JSON.stringify([entityType, entityKey])
    const before = this.#changed.get(id)?.standing ?? this.#before(entityType, entityKey)
    const standing = kind === 'error' || before === 'failed' ? 'failed' : 'warned'
    if (standing === before) return
    if (standing === 'failed') this.failedItems++
    if (before === 'warned') this.warnedItems--
    if (standing === 'warned') this.warnedItems++
    this.#changed.set(id, { entityType, entityKey, standing })
  }

  get changes(): StandingChange[] {
    return [...this.#changed.values()]
  }
}
