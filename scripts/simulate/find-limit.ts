import { type Figures, type Load, simulateDatabase } from './simulate-database.ts'

/** Calls that one object takes per second, at most. */
const MAX_RECORDER_CALLS = 1_000
/** A busier database makes everything wait. */
const MAX_D1_BUSY = 0.8
/** The pace's longest interval and a second for the way, in ms. */
const MAX_LAG = 31_000
/** How long a reply waits for D1 to have a status, in ms. */
const MAX_STATUS_LAG = 2_000

const SPAN = { warmUp: 32_000, measured: 12_000 }
const GROWTH = 4
const MAX_FACTOR = 10_000
/** After these, the limit is known within 9 percent. */
const BISECTIONS = 4

/** The bounds that are passed, in words. */
export function passedBounds({ recorderCalls, d1Busy, progress, statuses, refused }: Figures): string[] {
  const lag = progress.quantile(0.99)
  const statusLag = statuses.quantile(0.99)
  return [
    ...(recorderCalls > MAX_RECORDER_CALLS
      ? [`a recorder gets ${recorderCalls.toFixed()} calls a second`]
      : []),
    ...(d1Busy > MAX_D1_BUSY ? [`D1 is ${(d1Busy * 100).toFixed()} % busy`] : []),
    ...(lag > MAX_LAG ? [`progress lags by ${(lag / 1_000).toFixed(1)} s`] : []),
    ...(statusLag > MAX_STATUS_LAG ? [`a status lags by ${(statusLag / 1_000).toFixed(1)} s`] : []),
    ...(refused > 0 ? [`${refused} records found no room`] : []),
  ]
}

/** Raises a load until it passes a bound. Returns the last that holds, and which bounds one that is 9 percent larger passes. */
export function findLimit(loadOf: (factor: number) => Load): { load: Load; passed: string[] } {
  const tryOut = (factor: number) => passedBounds(simulateDatabase(loadOf(factor), SPAN))
  let holds = 1
  let fails = GROWTH
  let passed = tryOut(fails)
  while (passed.length === 0 && fails < MAX_FACTOR) {
    holds = fails
    fails *= GROWTH
    passed = tryOut(fails)
  }
  for (let n = 0; n < BISECTIONS; n++) {
    const middle = Math.sqrt(holds * fails)
    const bounds = tryOut(middle)
    if (bounds.length === 0) {
      holds = middle
    } else {
      fails = middle
      passed = bounds
    }
  }
  return { load: loadOf(holds), passed }
}
