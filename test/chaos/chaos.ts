/**
 * `npm run chaos`: workers report on jobs while all that can go wrong does: the edge is killed, objects lose their memory
 * or their storage, D1 and Stytch are away, the clock jumps. Then everything that they were told 200 for is looked for.
 * Exits with 1 where anything is lost, doubled or disagrees, and also where the faults were not really injected, or too
 * little was acknowledged to prove anything.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { EdgeClock } from './edge-clock.ts'
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

  --seconds N   how long the workers report, 100 unless told otherwise; the bounds go with it
  --short       the same as --seconds 15
  --seed N      the choices of an earlier run; its timing cannot be had again
  --loud        shows what the edge logs
`

/** What is asked of a run for each second of it: of 100 seconds, 20,000 acknowledged reports and 10 kills. */
const ACKNOWLEDGED_A_SECOND = 200
/** A run below a minute is for a machine that has other things to do, however slow: a fifth of it will do. */
const ACKNOWLEDGED_A_SECOND_OF_A_SHORT_RUN = 40
/** A slow machine may take this many times as long to acknowledge what is asked for. */
const PATIENCE = 5

const CREWS: Crew[] = [
  ...Array.from({ length: 16 }, (_, index): Crew => ({ name: `w${index + 1}`, size: 1, reports: [20, 120] })),
  ...Array.from({ length: 4 }, (_, index): Crew => ({ name: `c${index + 1}`, size: 4, reports: [100, 600] })),
]

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
  const stage = await Stage.open({ state, onLine: (line) => hear(line, complaints) })
  try {
    console.log(
      `seed ${seed}, ${seconds} s of load, ${CREWS.reduce((sum, { size }) => sum + size, 0)} workers`,
    )
    const rate = seconds < 60 ? ACKNOWLEDGED_A_SECOND_OF_A_SHORT_RUN : ACKNOWLEDGED_A_SECOND
    const minimum = Math.ceil(seconds * rate)
    let isOver = false
    const jobs: LedgerJob[] = []
    const run: Run = {
      stage,
      clock: new EdgeClock(stage, jobs),
      random: createRandom(seed),
      jobs,
      worked: new Set(),
      finished: [],
      injected: { ...NOTHING_INJECTED },
      replays: { replays: 0, ofLostReplies: 0 },
      acknowledged: 0,
      complaints,
      isOver: () => isOver,
    }
    const reads: SessionReads = { ok: 0, unavailable: 0, unanswered: 0 }
    const loadFrom = Date.now()
    const callers = Promise.all([...CREWS.map((crew) => workAsCrew(run, crew)), readWithSessions(run, reads)])
    const misfortune = injectAll(run, seconds, (name, ms) => {
      if (loud) console.log(`${(Date.now() - loadFrom) / 1_000} s: ${name}, ${ms / 1_000} s`)
    }).then(async () => {
      const deadline = loadFrom + seconds * PATIENCE * 1_000
      while (
        Date.now() < loadFrom + seconds * 1_000 ||
        (run.acknowledged < minimum && Date.now() < deadline)
      ) {
        await pause(100)
      }
    })
    // A worker that gives up ends the run as a fault does that cannot be injected.
    await Promise.race([misfortune, callers]).finally(() => {
      isOver = true
    })
    await Promise.all([misfortune, callers])
    const load = (Date.now() - loadFrom) / 1_000

    // The last one, with nobody left to come back: what D1 still lacks is for the alarms alone to bring.
    await killIdleRuntime(run)
    const behind = (await findBehind(stage, jobs)).length
    const quietFrom = Date.now()
    const late = await waitForD1(stage, jobs)
    const caughtUp = (Date.now() - quietFrom) / 1_000

    const verdict = await judge(stage, jobs, late)
    const shortfalls = [
      ...findNotInjected(run.injected, seconds),
      ...findNotDone(run, reads, minimum, behind),
    ]
    const duration = (Date.now() - startedAt) / 1_000
    printResult({ run, reads, verdict, shortfalls, load, behind, caughtUp, duration })
    const wrong = verdict.lost.length + verdict.doubled.length + verdict.disagreeingJobs + complaints.length
    return wrong + shortfalls.length === 0 ? 0 : 1
  } finally {
    await stage.close()
  }
}

/** What the edge logs. Some of it should never be: that an object and D1 contradict each other, or a bug. */
function hear(line: string, complaints: string[]): void {
  if (loud) console.log(line)
  const isWrong = /"event":"(record_conflict|entries_lost)"|"event":"refused".*"status":500/.test(line)
  if (isWrong) complaints.push(`the edge logs ${line}`)
}

/** What else the run did not do of what it has to do to prove anything. */
function findNotDone(run: Run, reads: SessionReads, minimum: number, behind: number): string[] {
  const required: [what: string, done: number, atLeast: number][] = [
    ['acknowledged', run.acknowledged, minimum],
    ['jobs', run.jobs.length, Math.min(40, Math.floor(seconds))],
    ['refused', countOutcome(run.jobs, 'refused'), Math.floor(seconds / 50)],
    ['replays', run.replays.replays, Math.ceil(minimum / 100)],
    ['replays of replies that got lost', run.replays.ofLostReplies, Math.ceil(minimum / 200)],
    ['reads with a session', reads.ok, Math.ceil(seconds)],
    ['jobs that D1 lacked something of after the last kill', behind, 1],
  ]
  return required
    .filter(([, done, atLeast]) => done < atLeast)
    .map(([what, done, atLeast]) => `${what}: ${done}, and at least ${atLeast} are needed`)
}
