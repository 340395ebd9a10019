import type { Findings } from './judge.ts'
import type { LedgerJob, Outcome } from './ledger.ts'
import type { Run } from './run.ts'
import type { SessionReads } from './session-readers.ts'

const SHOWN_FINDINGS = 20

export interface Result {
  run: Run
  reads: SessionReads
  verdict: Findings
  /** What was not injected or not acknowledged, so that the run proves nothing. */
  shortfalls: string[]
  /** How long the workers reported, in seconds. */
  load: number
  /** Jobs of which D1 lacked something after the last kill, and how many seconds it took to have it. */
  behind: number
  caughtUp: number
  /** Of the whole run, in seconds. */
  duration: number
}

export function printResult({ run, reads, verdict, shortfalls, ...times }: Result): void {
  const { injected, replays, jobs } = run
  const acknowledged = countOutcome(jobs, 'acknowledged')
  const lines: [string, string | number][] = [
    ['acknowledged', acknowledged],
    ['lost', verdict.lost.length],
    ['doubled', verdict.doubled.length],
    ['disagreeing jobs', verdict.disagreeingJobs],
    ['other complaints', run.complaints.length],
    ['refused', countOutcome(jobs, 'refused')],
    ['unanswered', countOutcome(jobs, 'unanswered')],
    ['jobs', jobs.length],
    ['kills', injected.kills],
    ['locks', injected.locks],
    ['hours of outage', `${injected.outageHours.toFixed(1)} in ${injected.longOutages} of the locks`],
    ['evictions', injected.evictions],
    ['restarts', injected.restarts],
    ['lost storages', injected.lostStorages],
    ['late writes', `${injected.lateWrites} (${injected.fencedWrites} of them not taken)`],
    ['old journals', `${injected.oldJournals}, and ${injected.oldRetries} retries of reports from before`],
    [
      'archived jobs',
      `${injected.archivedJobs}, and ${injected.archivedRetries} retries of reports from before`,
    ],
    [
      'clock jumps',
      `${injected.clockMovedOn} on, ${injected.clockSetBack} back, ${run.clock.setBacks} back in all`,
    ],
    ['Stytch down', injected.stytchOutages],
    [
      'session reads',
      `${reads.ok} served, ${reads.unavailable} put off (503), ${reads.unanswered} unanswered`,
    ],
    ['replays', `${replays.replays} (${replays.ofLostReplies} of replies that got lost)`],
    [
      'behind at the end',
      `${times.behind} jobs, level ${times.caughtUp.toFixed(1)} s after the last kill, unasked`,
    ],
    ['load', `${times.load.toFixed(1)} s, ${Math.round(acknowledged / times.load)} acknowledged a second`],
    ['duration', `${times.duration.toFixed(1)} s`],
  ]
  for (const [name, value] of lines) console.log(`${`${name}:`.padEnd(20)}${value}`)
  const findings = [...run.complaints, ...verdict.all]
  for (const finding of findings.slice(0, SHOWN_FINDINGS)) console.error(`  ${finding}`)
  const left = findings.length - SHOWN_FINDINGS
  if (left > 0) console.error(`  … and ${left} more`)
  for (const shortfall of shortfalls) console.error(`  not proven: ${shortfall}`)
}

export function countOutcome(jobs: LedgerJob[], outcome: Outcome): number {
  return jobs.reduce((sum, job) => sum + job.reports.filter((report) => report.outcome === outcome).length, 0)
}
