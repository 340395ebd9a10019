import { parseArgs } from 'node:util'
import type { Timing } from './measure/measure-in-turn.ts'

export interface Options extends Timing {
  json: boolean
  /** Names of cases; empty: all of them. */
  only: string[]
  alternatives: boolean
  /** Measure what one organization costs another instead. */
  neighbor: boolean
}

export const USAGE = `npm run bench [-- options]

  --only NAME,…        only these cases, such as many or alt_d1_many
  --no-alternatives    without what a user would write instead
  --seconds N          how long each round of a case lasts (default 2.5)
  --rounds N           how many rounds (default 3)
  --quick              rounds of half a second, no alternatives: the shape, not the figures
  --json               one object, {"cases": [{name, perSecond, floorPerSecond, ratio, p50Ms, p99Ms}]}
  --neighbor           what one organization costs another, and nothing else`

/** Throws a TypeError if an option is unknown or has no such value. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      alternatives: { type: 'boolean' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      neighbor: { type: 'boolean', default: false },
    },
  })
  return {
    json: values.json,
    only: values.only.flatMap((names) => names.split(',')),
    alternatives: values.alternatives ?? !values.quick,
    neighbor: values.neighbor,
    seconds: positive('seconds', values.seconds ?? (values.quick ? '0.5' : '2.5')),
    rounds: Math.ceil(positive('rounds', values.rounds ?? '3')),
  }
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!(number > 0 && Number.isFinite(number))) throw new TypeError(`--${name} must be a number above 0`)
  return number
}
