import { within } from '../within.ts'

/** How long D1 may take to answer, in ms. Should a write land later all the same, its fence makes that harmless. */
const TIMEOUT_MS = 20_000
const LATE = Symbol('late')

/** What Drizzle asks of a database. */
type Database = Pick<D1Database, 'prepare' | 'batch'>

/** The database, where no call waits for ever: one that is not answered in time fails, as it does where D1 is down. */
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
  // Drizzle asks for no more than this.
  return wrapper as unknown as D1Database
}

async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  const result = await within(TIMEOUT_MS, work, LATE)
  if (result === LATE) throw new Error(`D1_TIMEOUT: no answer within ${TIMEOUT_MS} ms`)
  return result as Result
}
