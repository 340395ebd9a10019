import type { Env } from '../env.ts'
import type { JobKey } from '../jobs/job.ts'
import type { Placement } from '../jobs/placement.ts'
import { databaseOf } from '../store/databases.ts'
import { findStored } from '../store/find-job.ts'
import { openStore, type Store } from '../store/store.ts'
import type { Journal } from './journal.ts'

/**
 * The database of a job, as far as its object knows: the newest placement of its organization that a call brought, the
 * journal has, or a database told that the organization has left.
 */
export class Home {
  readonly #env: Env
  readonly #journal: Journal
  #opened: { database: string; store: Store } | undefined

  constructor(env: Env, journal: Journal) {
    this.#env = env
    this.#journal = journal
  }

  get placement(): Placement {
    return this.#journal.placement
  }

  /** Throws if there is no such database. */
  get store(): Store {
    const { database } = this.placement
    if (this.#opened?.database !== database) this.#opened = { database, store: this.open(this.placement) }
    return this.#opened.store
  }

  /** The database of another placement. Throws if there is no such database. */
  open({ database }: Placement): Store {
    return openStore(databaseOf(this.#env, database))
  }

  /**
   * Asks the database whether the job's organization has left it. Goes where the organization went, unless not everything
   * is there yet: then it is `moving`. Throws if D1 fails.
   */
  async follow(key: JobKey): Promise<'stayed' | 'moving' | 'moved'> {
    const { departure } = await findStored(this.store, key)
    if (departure === undefined) return 'stayed'
    if (!departure.isWhole) return 'moving'
    return this.learn(departure) ? 'moved' : 'stayed'
  }

  /** Takes a placement unless it is older. True if the database is now another. */
  learn(placement: Placement): boolean {
    const known = this.placement
    if (placement.version <= known.version) return false
    this.#journal.placement = placement
    return placement.database !== known.database
  }
}
