import type { CaseCounts } from './measure/count-cases.ts'
import { median } from './measure/figures.ts'
import type { Measured } from './measure/measure-in-turn.ts'
import type { Result } from './measure/result.ts'

/** The cases, ratios first. */
export function printResults(results: Result[]): void {
  row('', '', 'ratio', '±', 'target', 'per s', 'floor/s', 'p50 ms', 'p99 ms', '  floor')
  for (const { case: one, figures, spread } of results) {
    const { ratio, perSecond, floorPerSecond, p50Ms, p99Ms } = figures
    row(
      one.name,
      one.about,
      ratio.toFixed(2),
      `${(spread * 100).toFixed(0)}%`,
      target(ratio, one.target),
      perSecond.toFixed(0),
      floorPerSecond.toFixed(0),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      `  ${one.floor.name}`,
    )
  }
}

/** The floors: each does one thing more than the one above it. */
export function printFloors(measured: Measured): void {
  row('', '', 'per s', 'p50 ms', 'p99 ms')
  for (const [{ name }, rounds] of measured) {
    const figures = (['perSecond', 'p50', 'p99'] as const).map((of) =>
      median(rounds.map((round) => round[of])),
    )
    row(name, '', ...figures.map((figure, n) => figure.toFixed(n === 0 ? 0 : 1)))
  }
}

/** How many times as fast as each alternative Milepost is. */
export function printComparison(results: Result[]): void {
  const perSecond = new Map(results.map(({ figures }) => [figures.name, figures.perSecond]))
  row('', '', 'times', 'target', 'Milepost/s', 'theirs/s')
  for (const { case: one, figures } of results) {
    const ours = perSecond.get(one.name.slice(one.name.lastIndexOf('_') + 1))
    if (!one.name.startsWith('alt_') || ours === undefined) continue
    const times = ours / figures.perSecond
    row(
      one.name,
      one.about,
      times.toFixed(2),
      target(times, one.timesTarget),
      ours.toFixed(0),
      figures.perSecond.toFixed(0),
    )
  }
}

/** What a request asks of the runtime. */
export function printCounts(all: CaseCounts[]): void {
  row(
    '',
    '',
    'obj calls',
    'obj rows',
    'obj bytes',
    'D1 calls',
    'stmts',
    'D1 rows',
    'D1 bytes',
    'reply B',
    'D1 calls/s',
  )
  for (const { name, counts, requests, replyBytes, seconds } of all) {
    const { objectRows, objectBytes, d1Calls, d1Statements, d1Rows, d1Bytes } = counts
    const calls = Object.values(counts.objectCalls).reduce((sum, count) => sum + count, 0)
    const each = [calls, objectRows, objectBytes, d1Calls, d1Statements, d1Rows, d1Bytes, replyBytes]
    const byBinding = Object.entries(counts.objectCalls).map(([binding, n]) => `${binding} ${n}`)
    row(name, byBinding.join(', '), ...each.map((n) => short(n / requests)), (d1Calls / seconds).toFixed(1))
  }
}

/** Prints a name, what it is, and figures in columns. */
export function row(name: string, about: string, ...figures: string[]): void {
  line(`${name.padEnd(26)}${about}`, ...figures)
}

/** Prints a title and figures in columns. */
export function line(title: string, ...figures: string[]): void {
  console.log(`  ${title.padEnd(56)}${figures.map((figure) => figure.padStart(11)).join('')}`.trimEnd())
}

/** A target, with a mark if it is missed. */
function target(value: number, least: number | undefined): string {
  if (least === undefined) return ''
  return `${value < least ? '! ' : ''}${least}`
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
