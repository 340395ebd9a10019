const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 8_000

/**
 * How many milliseconds to wait after so many failed attempts: doubles with each, up to a limit. `random` picks a value between
 * half of that and all of it.
 */
export function backOff(attempts: number, random: number): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1))
  return whole * (0.5 + random / 2)
}
