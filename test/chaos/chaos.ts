/**
 * `npm run chaos`: workers of two organizations, in two databases, report on jobs while everything goes wrong: the edge and the
 * recorders are killed, objects lose their memory or their storage, one database or Stytch goes down, the clock jumps. Afterwards
 * the run checks that every report answered with 200 is there, in the right database.
 * Exits with 1 if anything is lost, doubled or inconsistent, and also if too few faults took effect or too few reports were
 * acknowledged to prove anything.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { EdgeClock } from './edge-clock.ts'
import { TENANTS } from './edge-commands.ts'
import { killIdleRuntime } from './faults/kill-runtime.ts'
import { findBehind, judge, waitForD1 } from './judge.ts'
import type { LedgerJob } from './ledger.ts'
import { findNotInjected, injectAll } from './plan.ts'
import { countOutcome, printResult } from './print-result.ts'
import { createRandom } from './random.ts'
import { NOTHING_INJECTED, type Run } from './run.ts'
import { readWithSessions, type SessionReads } from './session-readers.ts'
import { Stage } from './stage.ts'
import { type Crew, workAsCrew } from './worker.ts'

const USAGE = `Usage: npm run chaos -- [--short] [--seconds N] [--seed N] [--loud]

  --seconds N   how long the workers report (default 100); the required minimums scale with it
  --short       the same as --seconds 15
  --seed N      repeat the random choices of an earlier run; its timing cannot be repeated
  --loud        print the edge's log
`

/** Acknowledged reports that a run needs per second: 20,000 in 100 seconds. */
const ACKNOWLEDGED_PER_SECOND = 200
/** Runs under a minute are for slow or busy machines, and need only a fifth. */
const ACKNOWLEDGED_PER_SECOND_IN_SHORT_RUN = 40
/** A slow machine may take this many times as long to reach the minimum. */
const MAX_EXTENSION = 5

const CREWS: Crew[] = TENANTS.flatMap((tenant, at) => [
  ...Array.from({ length: 8 }, (_, index): Crew => {
    return { name: `w${at * 8 + index + 1}`, tenant, size: 1, reports: [20, 120] }
  }),
  ...Array.from({ length: 2 }, (_, index): Crew => {
    return { name: `c${at * 2 + index + 1}`, tenant, size: 4, reports: [100, 600] }
  }),
])

const { seconds, seed, loud } = readFlags()
process.exitCode = await chaos()

function readFlags(): { seconds: number; seed: number; loud: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string' },
        short: { type: 'boolean' },
        seed: { type: 'string' },
        loud: { type: 'boolean' },
      },
    })
    const seconds = Number(values.seconds ?? (values.short ? 15 : 100))
    const seed = Number(values.seed ?? Date.now() % 1_000_000)
    if (!(seconds >= 10 && seconds <= 3_600)) throw new Error('--seconds: from 10 to 3600')
    if (!Number.isInteger(seed)) throw new Error('--seed: an integer')
    return { seconds, seed, loud: values.loud ?? false }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}

async function chaos(): Promise<number> {
  const startedAt = Date.now()
  const state = await mkdtemp(join(tmpdir(), 'milepost-chaos-'))
  process.on('exit', () => rmSync(state, { recursive: true, force: true }))
  const complaints: string[] = []
  const stage = await Stage.open({ state, onLine: (line) => checkLogLine(line, complaints) })
  try {
    console.log(
      `seed ${seed}, ${seconds} s of load, ${CREWS.reduce((sum, { size }) => sum + size, 0)} workers`,
    )
    const rate = seconds < 60 ? ACKNOWLEDGED_PER_SECOND_IN_SHORT_RUN : ACKNOWLEDGED_PER_SECOND
    const minimum = Math.ceil(seconds * rate)
    let isOver = false
    const jobs: LedgerJob[] = []
    const run: Run = {
      stage,
      clock: new EdgeClock(stage, jobs),
      random: createRandom(seed),
      jobs,
      active: new Set(),
      finished: [],
      injected: { ...NOTHING_INJECTED },
      injectedInto: {
        DB: { locks: 0, locksAlone: 0, recorderKills: 0 },
        DB_2: { locks: 0, locksAlone: 0, recorderKills: 0 },
      },
      recordedMeanwhile: { statuses: 0, statusMs: 0, entries: 0, reportsMs: 0 },
      replays: { replays: 0, ofLostReplies: 0 },
      acknowledged: 0,
      complaints,
      isOver: () => isOver,
    }
    const reads: SessionReads = { ok: 0, unavailable: 0, unanswered: 0 }
    const loadFrom = Date.now()
    const callers = Promise.all([...CREWS.map((crew) => workAsCrew(run, crew)), readWithSessions(run, reads)])
    const faults = injectAll(run, seconds, (name, ms) => {
      if (loud) console.log(`${(Date.now() - loadFrom) / 1_000} s: ${name}, ${ms / 1_000} s`)
    }).then(async () => {
      const deadline = loadFrom + seconds * MAX_EXTENSION * 1_000
      while (
        Date.now() < loadFrom + seconds * 1_000 ||
        (run.acknowledged < minimum && Date.now() < deadline)
      ) {
        await pause(100)
      }
    })
    // A worker that throws ends the run, just like a fault that cannot be injected.
    await Promise.race([faults, callers]).finally(() => {
      isOver = true
    })
    await Promise.all([faults, callers])
    const load = (Date.now() - loadFrom) / 1_000

    // After this last kill no request wakes the objects. Only their alarms can bring D1 up to date.
    await killIdleRuntime(run)
    const behind = (await findBehind(stage, jobs)).length
    const quietFrom = Date.now()
    const late = await waitForD1(stage, jobs)
    const caughtUp = (Date.now() - quietFrom) / 1_000

    const verdict = await judge(stage, jobs, late)
    const shortfalls = [...findNotInjected(run, seconds), ...findNotDone(run, reads, minimum, behind)]
    const duration = (Date.now() - startedAt) / 1_000
    printResult({ run, reads, verdict, shortfalls, load, behind, caughtUp, duration })
    const wrong = verdict.lost.length + verdict.doubled.length + verdict.disagreeingJobs + complaints.length
    return wrong + shortfalls.length === 0 ? 0 : 1
  } finally {
    await stage.close()
  }
}

/** Collects the log lines that must never appear: an object and D1 contradict each other, or a reply was 500. */
function checkLogLine(line: string, complaints: string[]): void {
  if (loud) console.log(line)
  const isWrong = /"event":"(record_conflict|entries_lost)"|"event":"refused".*"status":500/.test(line)
  if (isWrong) complaints.push(`the edge logs ${line}`)
}

/** Lists what the run did too little of to prove anything, other than faults. */
function findNotDone(run: Run, reads: SessionReads, minimum: number, behind: number): string[] {
  const required: [what: string, done: number, atLeast: number][] = [
    ['acknowledged', run.acknowledged, minimum],
    ['jobs', run.jobs.length, Math.min(40, Math.floor(seconds))],
    ['refused', countOutcome(run.jobs, 'refused'), Math.floor(seconds / 50)],
    ['replays', run.replays.replays, Math.ceil(minimum / 100)],
    ['replays of lost replies', run.replays.ofLostReplies, Math.ceil(minimum / 200)],
    ['reads with a session', reads.ok, Math.ceil(seconds)],
    ['jobs that were not fully in D1 after the last kill', behind, 1],
  ]
  return required
    .filter(([, done, atLeast]) => done < atLeast)
    .map(([what, done, atLeast]) => `${what}: ${done}, need at least ${atLeast}`)
}
