import { setTimeout as pause } from 'node:timers/promises'
import { TENANTS } from './edge-commands.ts'
import { ageJournal } from './faults/age-journal.ts'
import { evictObjects } from './faults/evict-objects.ts'
import { holdD1 } from './faults/hold-d1.ts'
import { holdD1ForHours } from './faults/hold-d1-for-hours.ts'
import { holdOneOfTwo } from './faults/hold-one-of-two.ts'
import { jumpClock } from './faults/jump-clock.ts'
import { killRecorder } from './faults/kill-recorder.ts'
import { killRuntime } from './faults/kill-runtime.ts'
import { loseStorage } from './faults/lose-storage.ts'
import { repeatToArchived } from './faults/repeat-to-archived.ts'
import { restartEdge } from './faults/restart-edge.ts'
import { takeStytchDown } from './faults/take-stytch-down.ts'
import { writeLate } from './faults/write-late.ts'
import type { Injected, InjectedInto, Run } from './run.ts'

type Fault = [name: string, perSecond: number, inject: (run: Run) => Promise<void>]

/** Injected one at a time. Each returns once the edge answers again. */
const OF_THE_EDGE: Fault[] = [
  ['kill', 0.12, killRuntime],
  ...TENANTS.flatMap((tenant): Fault[] => [
    [`kill the recorder of ${tenant.database}`, 0.1, (run) => killRecorder(run, tenant)],
    [`lock ${tenant.database}`, 0.02, (run) => holdOneOfTwo(run, tenant)],
  ]),
  // Neither the objects' timers nor D1 can save what was acknowledged: only the journals can.
  ['lock and kill', 0.01, (run) => holdD1(run, TENANTS[0], 500, () => killRuntime(run))],
  ['hours of outage', 0.02, holdD1ForHours],
  ['evict', 0.08, (run) => evictObjects(run, 6)],
  ['restart', 0.02, restartEdge],
  ['lost storage', 0.03, loseStorage],
  ['late write, after', 0.02, (run) => writeLate(run, 'after')],
  ['late write, during', 0.01, (run) => writeLate(run, 'during')],
  ['late write, before', 0.01, (run) => writeLate(run, 'before')],
  ['late write, in part', 0.01, (run) => writeLate(run, 'in part')],
  ['old journal', 0.04, ageJournal],
  ['retries on an archived job', 0.03, repeatToArchived],
  ['clock moved on', 0.03, (run) => jumpClock(run, 'on')],
  ['clock set back', 0.03, (run) => jumpClock(run, 'back')],
]
/** Injected alongside the others: Stytch may be down while the edge is killed. */
const OF_STYTCH: Fault[] = [['Stytch down', 0.03, takeStytchDown]]

/** Injects all faults of a run that lasts `seconds`. Calls `onFault` after each with its duration in ms. */
export async function injectAll(
  run: Run,
  seconds: number,
  onFault: (name: string, ms: number) => void,
): Promise<void> {
  await Promise.all([OF_THE_EDGE, OF_STYTCH].map((faults) => injectInTurn(run, seconds, faults, onFault)))
}

/** Injects the faults in random order and at random times. */
async function injectInTurn(
  run: Run,
  seconds: number,
  faults: Fault[],
  onFault: (name: string, ms: number) => void,
): Promise<void> {
  const from = Date.now()
  const plan = faults
    .flatMap((fault) => Array.from({ length: Math.max(1, Math.round(seconds * fault[1])) }, () => fault))
    .sort(() => run.random() - 0.5)
  for (const [index, [name, , inject]] of plan.entries()) {
    const at = from + (seconds * 1_000 * (index + run.random())) / plan.length
    await pause(Math.max(50, at - Date.now()))
    const began = Date.now()
    await inject(run)
    onFault(name, Date.now() - began)
  }
}

/** Lists the faults that a run of `seconds` had too few of to prove anything. */
export function findNotInjected({ injected, injectedInto }: Run, seconds: number): string[] {
  const requiredInto: InjectedInto = {
    recorderKills: seconds * 0.07,
    locks: seconds * 0.02,
    locksAlone: seconds * 0.01,
  }
  const required: Partial<Record<keyof Injected, number>> = {
    kills: seconds * 0.1,
    longOutages: seconds * 0.01,
    outageHours: 2,
    evictions: seconds * 0.05,
    restarts: seconds * 0.01,
    lostStorages: seconds * 0.05,
    lateWrites: seconds * 0.04,
    fencedWrites: seconds * 0.01,
    oldJournals: seconds * 0.03,
    oldRetries: seconds * 0.1,
    archivedJobs: seconds * 0.02,
    archivedRetries: seconds * 0.1,
    clockMovedOn: seconds * 0.02,
    clockSetBack: seconds * 0.02,
    stytchOutages: seconds * 0.02,
  }
  return [
    ...findTooFew(injected, required),
    ...Object.entries(injectedInto).flatMap(([database, into]) =>
      findTooFew(into, requiredInto).map((what) => `${database}, ${what}`),
    ),
  ]
}

function findTooFew<Counts extends Record<keyof Counts, number>>(
  counts: Counts,
  required: Partial<Counts>,
): string[] {
  return Object.entries<number | undefined>(required).flatMap(([name, number]) => {
    const atLeast = Math.max(1, Math.floor(number ?? 0))
    const done = counts[name as keyof Counts]
    return done < atLeast ? [`${name}: ${done}, need at least ${atLeast}`] : []
  })
}
