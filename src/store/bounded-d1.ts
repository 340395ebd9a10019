import { within } from '../within.ts'

/** How long D1 may take to answer, in ms. A write may still land after that: its fence makes it harmless. */
const TIMEOUT_MS = 20_000
const LATE = Symbol('late')

export class D1Timeout extends Error {
  constructor() {
    // D1 begins its own errors this way.
    super(`D1_TIMEOUT: no answer within ${TIMEOUT_MS} ms`)
  }
}

/** What Drizzle uses of a database. */
type Database = Pick<D1Database, 'prepare' | 'batch'>

/** The database with a timeout on every call. A call that times out fails as if D1 were down. */
export function boundedD1(database: Database): D1Database {
  const real = new WeakMap<object, D1PreparedStatement>()
  const bounded = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapper = {
      bind: (...values: unknown[]) => bounded(statement.bind(...values)),
      all: () => inTime(statement.all()),
      run: () => inTime(statement.run()),
      raw: () => inTime(statement.raw()),
    }
    real.set(wrapper, statement)
    return wrapper as unknown as D1PreparedStatement
  }
  const wrapper = {
    prepare: (query: string) => bounded(database.prepare(query)),
    batch: (statements: D1PreparedStatement[]) =>
      inTime(database.batch(statements.map((statement) => real.get(statement) ?? statement))),
  }
  // The cast is safe: Drizzle uses nothing else.
  return wrapper as unknown as D1Database
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const result = await within(TIMEOUT_MS, work, LATE)
  if (result === LATE) throw new D1Timeout()
  return result as Result
}
