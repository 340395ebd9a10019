import type { AnyStore } from '../store.ts'

/** The databases by name. `DB` has the directory. */
export type Stores = Record<string, AnyStore> & { DB: AnyStore }

/** The database that an organization leaves, and the one that it moves to. */
export interface Ends {
  from: AnyStore
  to: AnyStore
}

/** The move cannot be made. The message is for the operator. */
export class MoveError extends Error {}

/** A database by name. Throws a MoveError if it is not among them. */
export function storeOf(stores: Stores, name: string): AnyStore {
  const store = stores[name]
  if (store === undefined)
    throw new MoveError(`There is no database ${name}: there are ${Object.keys(stores).join(', ')}`)
  return store
}
