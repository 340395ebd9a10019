/** One call to D1: a statement, or a batch of them. */
export interface D1Call {
  isBatch: boolean
  statements: { sql: string; values: unknown[] }[]
}

type Around = <Result>(call: D1Call, run: () => Promise<Result>) => Promise<Result>

/** A database that runs every call within `around`. */
export function wrapD1<Database extends D1Database | D1DatabaseSession>(
  database: Database,
  around: Around,
): Database {
  const real = new WeakMap<object, { statement: D1PreparedStatement; sql: string; values: unknown[] }>()
  const wrapStatement = (
    statement: D1PreparedStatement,
    sql: string,
    values: unknown[],
  ): D1PreparedStatement => {
    const call = { isBatch: false, statements: [{ sql, values }] }
    const wrapper = {
      bind: (...bound: unknown[]) => wrapStatement(statement.bind(...bound), sql, bound),
      all: () => around(call, () => statement.all()),
      run: () => around(call, () => statement.run()),
      raw: () => around(call, () => statement.raw()),
      first: (column: string) => around(call, () => (column ? statement.first(column) : statement.first())),
    }
    real.set(wrapper, { statement, sql, values })
    return wrapper as unknown as D1PreparedStatement
  }
  return new Proxy(database, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => wrapStatement(target.prepare(sql), sql, [])
      if (name === 'batch') {
        return (wrappers: D1PreparedStatement[]) => {
          const statements = wrappers.map((wrapper) => real.get(wrapper)).filter((one) => one !== undefined)
          return around({ isBatch: true, statements }, () =>
            target.batch(statements.map(({ statement }) => statement)),
          )
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name === 'withSession') return (...args: unknown[]) => wrapD1(value.apply(target, args), around)
      return value.bind(target)
    },
  })
}
