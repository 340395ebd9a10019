import type { ReportedEntry } from './apply-report.ts'
import type { EntryKind, Job } from './job.ts'
import { MAX_ENTITIES, MAX_ENTITY_BYTES } from './limits.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/** What the entries so far say of one entity: nothing, a warning at most, or that it failed. */
export type EntityState = 'clean' | 'warned' | 'failed'

/** Looks up the state of an entity of one job. Synchronous: a report is applied without a pause. */
export type EntityStateOf = (entityType: string, entityKey: string) => EntityState

/** An entity whose state a report changed. */
export interface EntityChange {
  entityType: string
  entityKey: string
  state: EntityState
}

/** What a job knows of its entities in numbers: see `Job`. */
export type EntityCounts = Pick<
  Job,
  'failedItems' | 'warnedItems' | 'keptEntities' | 'entityBytes' | 'entitiesNotKept'
>

/**
 * Counts distinct failed and warned entities while the entries of one report are added one by one. Entities beyond the
 * bound cannot be told apart from one report to the next: each report counts them anew, and says so.
 */
export class Tally {
  readonly counts: EntityCounts
  readonly #before: EntityStateOf
  readonly #changed = new Map<string, EntityChange & { isKept: boolean }>()

  constructor(counts: EntityCounts, before: EntityStateOf) {
    const { failedItems, warnedItems, keptEntities, entityBytes, entitiesNotKept } = counts
    this.counts = { failedItems, warnedItems, keptEntities, entityBytes, entitiesNotKept }
    this.#before = before
  }

  add(kind: EntryKind, { entityType, entityKey }: Pick<ReportedEntry, 'entityType' | 'entityKey'>): void {
    // An error of the job itself is no item: it says that the run went wrong, not that a row did.
    if (entityType === 'job') return
    const id = JSON.stringify([entityType, entityKey])
    const known = this.#changed.get(id)
    const before = known?.state ?? this.#before(entityType, entityKey)
    const state = kind === 'error' || before === 'failed' ? 'failed' : 'warned'
    if (state === before) return
    if (state === 'failed') this.counts.failedItems++
    if (before === 'warned') this.counts.warnedItems--
    if (state === 'warned') this.counts.warnedItems++
    const isKept = known?.isKept ?? (before !== 'clean' || this.#keep(entityType, entityKey))
    this.#changed.set(id, { entityType, entityKey, state, isKept })
  }

  /** The entities to remember. */
  get changes(): EntityChange[] {
    return [...this.#changed.values()].filter(({ isKept }) => isKept)
  }

  #keep(entityType: string, entityKey: string): boolean {
    const bytes = this.counts.entityBytes + utf8Bytes(entityType) + utf8Bytes(entityKey)
    if (this.counts.keptEntities >= MAX_ENTITIES || bytes > MAX_ENTITY_BYTES) {
      this.counts.entitiesNotKept++
      return false
    }
    this.counts.keptEntities++
    this.counts.entityBytes = bytes
    return true
  }
}
