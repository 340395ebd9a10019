/**
 * `npm run chaos`: workers report on jobs while the edge is killed, evicted and closed under them and D1 is held; then
 * everything that they were told 200 for is looked for. Exits with 1 where anything is lost, doubled or disagrees, and
 * also where the faults were not really injected, or too little was acknowledged to prove anything.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compareJob } from './compare-job.ts'
import { Faults, type Injected } from './faults.ts'
import { countAcknowledged, type LedgerJob, type Outcome, possibleStatuses, type Verdict } from './ledger.ts'
import { countRecorded, type D1, lookAtJob } from './look-at-job.ts'
import { createRandom } from './random.ts'
import { Stage } from './stage.ts'
import { type Crew, type Run, workAsCrew } from './worker.ts'

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
const KILLS_A_SECOND = 0.1
/** A slow machine may take this many times as long to acknowledge what is asked for. */
const PATIENCE = 3
/** How long D1 may be behind once everything is quiet, in ms. */
const CATCH_UP = 60_000
const SHOWN_FINDINGS = 20

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
  const stage = await Stage.open(state, !loud)
  try {
    console.log(
      `seed ${seed}, ${seconds} s of load, ${CREWS.reduce((sum, { size }) => sum + size, 0)} workers`,
    )
    const random = createRandom(seed)
    const rate = seconds < 60 ? ACKNOWLEDGED_A_SECOND_OF_A_SHORT_RUN : ACKNOWLEDGED_A_SECOND
    const minimum = Math.ceil(seconds * rate)
    let workersStop = false
    const run: Run = {
      stage,
      random,
      jobs: [],
      replays: { replays: 0, ofLostReplies: 0 },
      acknowledged: 0,
      refusedCreates: [],
      isOver: () => workersStop,
    }
    const faults = new Faults(stage, run.jobs, random)
    const loadFrom = Date.now()
    const workers = Promise.all(CREWS.map((crew) => workAsCrew(run, crew)))
    const misfortune = injectAll(faults, random, loadFrom).then(async () => {
      const deadline = loadFrom + seconds * PATIENCE * 1_000
      while (
        Date.now() < loadFrom + seconds * 1_000 ||
        (run.acknowledged < minimum && Date.now() < deadline)
      ) {
        await pause(100)
      }
    })
    // A worker that gives up ends the run as a fault does that cannot be injected.
    await Promise.race([misfortune, workers]).finally(() => {
      workersStop = true
    })
    await Promise.all([misfortune, workers])
    const load = (Date.now() - loadFrom) / 1_000

    // The last one, with nobody left to come back: what D1 still lacks is for the alarms alone to bring.
    await faults.killNow()
    const behind = (await findBehind(stage, run.jobs)).length
    const quietFrom = Date.now()
    const late = await waitForD1(stage, run.jobs)
    const caughtUp = (Date.now() - quietFrom) / 1_000

    const verdict = await judge(stage, run.jobs, late)
    verdict.disagreeingJobs += run.refusedCreates.length
    verdict.all.push(...run.refusedCreates)
    const shortfalls = findShortfalls(faults.injected, run, minimum, behind)
    print({ run, injected: faults.injected, verdict, shortfalls, load, behind, caughtUp, startedAt })
    const isClean = verdict.lost.length + verdict.doubled.length + verdict.disagreeingJobs === 0
    return isClean && shortfalls.length === 0 ? 0 : 1
  } finally {
    await stage.close()
  }
}

/** All faults of the run, shuffled, and spread over it at random. */
async function injectAll(faults: Faults, random: () => number, from: number): Promise<void> {
  const times = (count: number, name: string, inject: () => Promise<void>) =>
    Array.from({ length: Math.max(1, Math.round(count)) }, () => ({ name, inject }))
  const plan = [
    ...times(seconds * 0.12, 'kill', () => faults.kill()),
    ...times(seconds * 0.03, 'lock', () => faults.lock(2_000 + random() * 2_000)),
    // Neither the objects' timers nor D1 are there to take what was acknowledged.
    ...times(seconds * 0.01, 'lock and kill', () => faults.lock(500, () => faults.kill())),
    ...times(seconds * 0.08, 'evict', () => faults.evict(6)),
    ...times(seconds * 0.02, 'restart', () => faults.restart()),
  ].sort(() => random() - 0.5)
  for (const [index, { name, inject }] of plan.entries()) {
    const at = from + (seconds * 1_000 * (index + random())) / plan.length
    await pause(Math.max(50, at - Date.now()))
    const began = Date.now()
    await inject()
    if (loud) console.log(`${(began - from) / 1_000} s: ${name}, ${(Date.now() - began) / 1_000} s`)
  }
}

/** The jobs of which D1 lacks something that was acknowledged. It is asked alone: no job's object hears of it. */
async function findBehind(stage: Stage, jobs: LedgerJob[]): Promise<LedgerJob[]> {
  const recorded = await countRecorded(await stage.edge.d1())
  return jobs.filter((job) => {
    const counts = recorded.get(job.jobId)
    if (counts === undefined) return true
    const { errors, warnings } = countAcknowledged(job)
    const statuses = possibleStatuses(job, counts.error > 0, counts.warning > 0)
    return counts.error < errors || counts.warning < warnings || !statuses.includes(counts.status)
  })
}

/** Waits until D1 has caught up by itself; the jobs that it has not. */
async function waitForD1(stage: Stage, jobs: LedgerJob[]): Promise<LedgerJob[]> {
  const deadline = Date.now() + CATCH_UP
  for (;;) {
    const behind = await findBehind(stage, jobs)
    if (behind.length === 0 || Date.now() > deadline) return behind
    await pause(500)
  }
}

type Findings = Omit<Verdict, 'disagreements'> & { disagreeingJobs: number; all: string[] }

async function judge(stage: Stage, jobs: LedgerJob[], late: LedgerJob[]): Promise<Findings> {
  const findings: Findings = { lost: [], doubled: [], disagreeingJobs: 0, all: [] }
  const d1 = await stage.edge.d1()
  const left = [...jobs]
  const judgeNext = async () => {
    for (let job = left.pop(); job !== undefined; job = left.pop()) {
      const { lost, doubled, disagreements } = await compareWhenLevel(stage, d1, job)
      if (late.includes(job)) disagreements.push('D1 did not catch up by itself')
      findings.lost.push(...lost)
      findings.doubled.push(...doubled)
      if (disagreements.length > 0) findings.disagreeingJobs++
      const { jobId } = job
      const tell = (what: string, ones: string[]) => ones.map((one) => `${jobId} ${what}: ${one}`)
      findings.all.push(
        ...tell('lost', lost),
        ...tell('doubled', doubled),
        ...tell('disagrees', disagreements),
      )
    }
  }
  await Promise.all(Array.from({ length: 6 }, judgeNext))
  return findings
}

/** What nobody was answered for may be on its way to D1 still: a job is looked at again before it is said to disagree. */
async function compareWhenLevel(stage: Stage, d1: D1, job: LedgerJob): Promise<Verdict> {
  const deadline = Date.now() + 5_000
  for (;;) {
    const verdict = compareJob(job, await lookAtJob(stage, d1, job.jobId))
    if (verdict.disagreements.length <= job.complaints.length || Date.now() > deadline) return verdict
    await pause(500)
  }
}

/** What the run did not do of what it has to do to prove anything. */
function findShortfalls(injected: Injected, run: Run, minimum: number, behind: number): string[] {
  const required: [what: string, done: number, atLeast: number][] = [
    ['acknowledged', run.acknowledged, minimum],
    ['jobs', run.jobs.length, Math.min(40, Math.floor(seconds))],
    ['kills', injected.kills, Math.max(1, Math.floor(seconds * KILLS_A_SECOND))],
    ['locks', injected.locks, Math.max(2, Math.floor(seconds * 0.04))],
    ['evictions', injected.evictions, Math.max(1, Math.floor(seconds * 0.05))],
    ['restarts', injected.restarts, 1],
    ['refused', countOutcome(run.jobs, 'refused'), Math.floor(seconds / 50)],
    ['replays', run.replays.replays, Math.ceil(minimum / 100)],
    ['replays of replies that got lost', run.replays.ofLostReplies, Math.ceil(minimum / 200)],
    ['jobs that D1 lacked something of after the last kill', behind, 1],
  ]
  return required
    .filter(([, done, atLeast]) => done < atLeast)
    .map(([what, done, atLeast]) => `${what}: ${done}, and at least ${atLeast} are needed`)
}

function countOutcome(jobs: LedgerJob[], outcome: Outcome): number {
  return jobs.reduce((sum, job) => sum + job.reports.filter((report) => report.outcome === outcome).length, 0)
}

function print(result: {
  run: Run
  injected: Injected
  verdict: Findings
  shortfalls: string[]
  load: number
  behind: number
  caughtUp: number
  startedAt: number
}): void {
  const { run, injected, verdict, shortfalls, load, behind, caughtUp, startedAt } = result
  const acknowledged = countOutcome(run.jobs, 'acknowledged')
  const lines: [string, string | number][] = [
    ['acknowledged', acknowledged],
    ['lost', verdict.lost.length],
    ['doubled', verdict.doubled.length],
    ['disagreeing jobs', verdict.disagreeingJobs],
    ['refused', countOutcome(run.jobs, 'refused')],
    ['unanswered', countOutcome(run.jobs, 'unanswered')],
    ['jobs', run.jobs.length],
    ['kills', injected.kills],
    ['locks', injected.locks],
    ['evictions', injected.evictions],
    ['restarts', injected.restarts],
    ['replays', `${run.replays.replays} (${run.replays.ofLostReplies} of replies that got lost)`],
    ['behind at the end', `${behind} jobs, level ${caughtUp.toFixed(1)} s after the last kill, unasked`],
    ['load', `${load.toFixed(1)} s, ${Math.round(acknowledged / load)} acknowledged a second`],
    ['duration', `${((Date.now() - startedAt) / 1_000).toFixed(1)} s`],
  ]
  for (const [name, value] of lines) console.log(`${`${name}:`.padEnd(20)}${value}`)
  for (const finding of verdict.all.slice(0, SHOWN_FINDINGS)) console.error(`  ${finding}`)
  const left = verdict.all.length - SHOWN_FINDINGS
  if (left > 0) console.error(`  … and ${left} more`)
  for (const shortfall of shortfalls) console.error(`  not proven: ${shortfall}`)
}
