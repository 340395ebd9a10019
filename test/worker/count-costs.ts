import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import type { Costs } from '../../scripts/simulate/counts.ts'
import { jobObject } from '../../src/job-object/address.ts'
import { JobObject } from '../../src/job-object/job-object.ts'
import { RecorderObject } from '../../src/recorder/recorder-object.ts'

const CALLS = ['create', 'report', 'cancel', 'read', 'entries', 'groups', 'watch'] as const

/**
 * Counts what one job uses: call the result for the costs since the last time. All calls of D1 count, so nothing else may
 * run meanwhile. Ends with `vi.restoreAllMocks()`.
 */
export async function countCosts(key: Parameters<typeof jobObject>[1]): Promise<() => Promise<Costs>> {
  const calls = CALLS.map((name) => vi.spyOn(JobObject.prototype, name))
  const alarm = vi.spyOn(JobObject.prototype, 'alarm')
  const record = vi.spyOn(RecorderObject.prototype, 'record')
  const queries = vi.spyOn(sessionPrototype(), '_send')
  const stub: DurableObjectStub = jobObject(env.JOBS, key)
  const takeRows = await runInDurableObject(stub, (_: DurableObject, { storage }) => spyOnStorage(storage))
  return async () => {
    const results = (await Promise.all(queries.mock.results.map(({ value }) => value))).flat()
    const costs = {
      calls: sum(calls.map(({ mock }) => mock.calls.length)),
      alarms: alarm.mock.calls.length,
      objectRows: takeRows(),
      records: record.mock.calls.length,
      d1Calls: queries.mock.calls.length,
      d1RowsWritten: sum(results.map(({ meta }) => meta.rows_written)),
      d1RowsRead: sum(results.map(({ meta }) => meta.rows_read)),
    }
    for (const spy of [...calls, alarm, record, queries]) spy.mockClear()
    return costs
  }
}

/** Inside the runtime, every call of a D1 database, batches included, is one `_send` of its session. */
function sessionPrototype(): { _send(): Promise<D1Result | D1Result[]> } {
  const { alwaysPrimarySession } = env.DB as unknown as { alwaysPrimarySession: object }
  return Object.getPrototypeOf(alwaysPrimarySession)
}

/** Returns a function that counts the rows written since it was called last. */
function spyOnStorage(storage: DurableObjectStorage): () => number {
  const exec = vi.spyOn(storage.sql, 'exec')
  const writes = [vi.spyOn(storage.kv, 'put'), vi.spyOn(storage.kv, 'delete'), vi.spyOn(storage, 'setAlarm')]
  return () => {
    const rows = sum([
      ...exec.mock.results.map(({ value }) => value.rowsWritten),
      ...writes.map(({ mock }) => mock.calls.length),
    ])
    for (const spy of [exec, ...writes]) spy.mockClear()
    return rows
  }
}

/** The timers of our code that have neither fired nor been cleared. */
export function trackTimers(): Set<unknown> {
  const pending = new Set<unknown>()
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms?: number) => {
    const timer = setTimeout(() => {
      pending.delete(timer)
      run()
    }, ms)
    pending.add(timer)
    return timer
  }) as never)
  vi.spyOn(globalThis, 'setInterval').mockImplementation(((run: () => void, ms?: number) => {
    const timer = setInterval(run, ms)
    pending.add(timer)
    return timer
  }) as never)
  const forget = (clear: (timer: never) => void) => (timer: unknown) => {
    pending.delete(timer)
    clear(timer as never)
  }
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation(forget(clearTimeout) as never)
  vi.spyOn(globalThis, 'clearInterval').mockImplementation(forget(clearInterval) as never)
  return pending
}

/** Timers of a second and more never fire: what would have recorded the job is left to its alarm. */
export function holdTimers(): void {
  const { setTimeout } = globalThis
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms = 0) =>
    ms < 1_000 ? setTimeout(run, ms) : 0) as never)
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
