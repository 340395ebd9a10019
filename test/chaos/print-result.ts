import type { Findings } from './judge.ts'
import type { LedgerJob, Outcome } from './ledger.ts'
import type { InjectedInto, Run } from './run.ts'
import type { SessionReads } from './session-readers.ts'

const SHOWN_FINDINGS = 20

interface Result {
  run: Run
  reads: SessionReads
  verdict: Findings
  /** What the run had too little of to prove anything. */
  shortfalls: string[]
  /** How long the workers reported, in seconds. */
  load: number
  /** How many jobs were not fully in D1 after the last kill. */
  behind: number
  /** How long D1 then took to catch up, in seconds. */
  caughtUp: number
  /** The whole run, in seconds. */
  duration: number
}

export function printResult({ run, reads, verdict, shortfalls, ...times }: Result): void {
  const { injected, injectedInto, replays, jobs, recordedMeanwhile: meanwhile } = run
  const perDatabase = (countOf: (into: InjectedInto) => number) =>
    Object.entries(injectedInto)
      .map(([database, into]) => `${countOf(into)} of ${database}`)
      .join(', ')
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
    ['recorders killed', perDatabase((into) => into.recorderKills)],
    ['locks', perDatabase((into) => into.locks)],
    [
      'recorded meanwhile',
      `${meanwhile.statuses} statuses within ${meanwhile.statusMs} ms and ${meanwhile.entries} entries within ` +
        `${meanwhile.reportsMs} ms, in the other database`,
    ],
    ['hours of outage', `${injected.outageHours.toFixed(1)}, during ${injected.longOutages} of the locks`],
    ['evictions', injected.evictions],
    ['restarts', injected.restarts],
    ['storage losses', injected.lostStorages],
    ['late writes', `${injected.lateWrites} (${injected.fencedWrites} rejected)`],
    ['old journals', `${injected.oldJournals}, with ${injected.oldRetries} retries of earlier requests`],
    [
      'archived jobs',
      `${injected.archivedJobs}, with ${injected.archivedRetries} retries of earlier requests`,
    ],
    [
      'clock jumps',
      `${injected.clockMovedOn} forward, ${injected.clockSetBack} back (${run.clock.setBacks} back with restarts)`,
    ],
    ['Stytch down', injected.stytchOutages],
    [
      'session reads',
      `${reads.ok} answered, ${reads.unavailable} unavailable (503), ${reads.unanswered} unanswered`,
    ],
    ['replays', `${replays.replays} (${replays.ofLostReplies} of lost replies)`],
    [
      'behind at the end',
      `${times.behind} jobs, caught up by themselves ${times.caughtUp.toFixed(1)} s after the last kill`,
    ],
    ['load', `${times.load.toFixed(1)} s, ${Math.round(acknowledged / times.load)} acknowledged per second`],
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
