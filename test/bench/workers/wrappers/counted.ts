/** Counts what the product asks of the runtime. The Worker and its objects share an isolate, and so the counts. */
import { COUNTS_PATH, noCounts } from '../counts.ts'
import { isD1, isNamespace, replaceBindings, type Wrapper } from '../wrap.ts'
import { type D1Call, wrapD1 } from '../wrap-d1.ts'
import { countStorage } from './count-storage.ts'

let counts = noCounts()

export const wrapper: Wrapper = {
  env: (env) =>
    replaceBindings(replaceBindings(env, isD1, countD1), isNamespace, (namespace, name) =>
      countCalls(namespace, () => {
        counts.objectCalls[name] = (counts.objectCalls[name] ?? 0) + 1
      }),
    ),
  storage: (storage) =>
    countStorage(storage, (rows, values) => {
      counts.objectRows += rows
      counts.objectBytes += sizeOf(values)
    }),
  fetch(request) {
    if (new URL(request.url).pathname !== COUNTS_PATH) return undefined
    const counted = counts
    if (request.method === 'DELETE') counts = noCounts()
    return Response.json(counted)
  },
}

function countD1(database: D1Database): D1Database {
  return wrapD1(database, async ({ statements }: D1Call, run) => {
    counts.d1Calls++
    counts.d1Statements += statements.length
    for (const { values } of statements) counts.d1Bytes += sizeOf(values)
    const result = await run()
    for (const one of [result].flat() as unknown[])
      counts.d1Rows += (one as D1Result | null)?.meta?.rows_written ?? 0
    return result
  })
}

/** A namespace whose objects call `onCall` first. */
function countCalls(namespace: DurableObjectNamespace, onCall: () => void): DurableObjectNamespace {
  return new Proxy(namespace, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'get' && name !== 'getByName') return value.bind(target)
      return (...args: unknown[]) => countStub(value.apply(target, args), onCall)
    },
  })
}

function countStub(stub: Record<string, (...args: unknown[]) => unknown>, onCall: () => void) {
  return new Proxy(stub, {
    get: (target, name) => {
      if (typeof name !== 'string' || name === 'id' || name === 'name' || name === 'then')
        return Reflect.get(target, name, target)
      return (...args: unknown[]) => {
        onCall()
        return target[name]?.(...args)
      }
    },
  })
}

function sizeOf(value: unknown): number {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return new TextEncoder().encode(text).length
}
