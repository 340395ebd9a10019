import type { Case } from '../cases.ts'
import { median, spreadOf } from './figures.ts'
import type { Measured } from './measure-in-turn.ts'

/** What `--json` says of a case. Each figure is the median of the rounds. */
export interface CaseFigures {
  name: string
  perSecond: number
  floorPerSecond: number
  /** `perSecond` as a share of `floorPerSecond`. */
  ratio: number
  p50Ms: number
  p99Ms: number
}

export interface Result {
  case: Case
  figures: CaseFigures
  /** How far the ratio of a round was from the median at most, as a share of it. */
  spread: number
}

export function resultOf(one: Case, measured: Measured): Result {
  const rounds = measured.get(one.contender) ?? []
  const floor = measured.get(one.floor) ?? []
  const perSecond = median(rounds.map((round) => round.perSecond))
  const floorPerSecond = median(floor.map((round) => round.perSecond))
  const ratios = rounds.map((round, n) => round.perSecond / (floor[n]?.perSecond ?? Number.NaN))
  return {
    case: one,
    figures: {
      name: one.name,
      perSecond: round(perSecond, 1),
      floorPerSecond: round(floorPerSecond, 1),
      ratio: round(perSecond / floorPerSecond, 3),
      p50Ms: round(median(rounds.map(({ p50 }) => p50)), 3),
      p99Ms: round(median(rounds.map(({ p99 }) => p99)), 3),
    },
    spread: spreadOf(ratios),
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
