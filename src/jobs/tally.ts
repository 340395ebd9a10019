import type { EntryKind, Job, ReportedEntry } from './job.ts'
import { MAX_ENTITIES, MAX_ENTITY_BYTES } from './limits.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/** What the entries so far say about one entity: nothing, only warnings, or that it failed. */
export type EntityState = 'clean' | 'warned' | 'failed'

/** Looks up the state of an entity of one job. Synchronous: nothing may come between the steps of a report. */
export type EntityStateOf = (entityType: string, entityKey: string) => EntityState

/** An entity whose state a report changed. */
export interface EntityChange {
  entityType: string
  entityKey: string
  state: EntityState
}

/** A job's counts of its entities: see `Job`. */
export type EntityCounts = Pick<
  Job,
  'failedItems' | 'warnedItems' | 'keptEntities' | 'entityBytes' | 'entitiesNotKept'
>

/** The counts of a job without entries. */
export const NO_ENTITIES: EntityCounts = {
  failedItems: 0,
  warnedItems: 0,
  keptEntities: 0,
  entityBytes: 0,
  entitiesNotKept: 0,
}

/**
 * Counts distinct failed and warned entities as the entries of one report are added. Entities beyond the bound are not
 * remembered between reports: each report counts them again, and `entitiesNotKept` says so.
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
    // An error of the job itself is not an item: the run went wrong, not a row.
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
