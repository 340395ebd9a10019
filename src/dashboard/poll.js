/** @import { Failure, Outcome } from './wire.js' */

/** Seconds between two tries, the first after a failure and at most. */
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 30
/** Seconds until a refusal is put to the test again: someone may have granted the permission meanwhile. */
const REFUSED_PAUSE = 15

/**
 * How many seconds to wait after failure number `failures` in a row: as long as the server asks for, else longer each time.
 *
 * @param {Failure} outcome @param {number} failures from 1
 */
export function pauseAfter(outcome, failures) {
  const passing =
    outcome.reason === 'busy' || outcome.reason === 'unavailable' || outcome.reason === 'offline'
  if (!passing) return REFUSED_PAUSE
  const growing = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
  // Spread out, so that the pages of a whole team do not come back in one moment.
  return Math.max(outcome.retryAfter ?? 0, growing) * (1 + Math.random() / 4)
}

/**
 * Refreshes now and then every `seconds`, while the page is visible; more rarely while that fails. What is still under way
 * is given up when a newer refresh is asked for.
 *
 * @param {(signal: AbortSignal) => Promise<Outcome<unknown>>} refresh rejects only when aborted
 * @param {number} seconds
 */
export function poll(refresh, seconds) {
  let failures = 0
  let timer = 0
  let running = new AbortController()
  let stopped = false

  async function now() {
    clearTimeout(timer)
    running.abort()
    if (stopped || document.hidden) return
    const mine = new AbortController()
    running = mine
    const outcome = await refresh(mine.signal).catch((error) => {
      if (mine.signal.aborted) return null
      throw error
    })
    if (outcome === null || mine.signal.aborted || stopped) return
    failures = outcome.ok ? 0 : failures + 1
    timer = setTimeout(now, (outcome.ok ? seconds : pauseAfter(outcome, failures)) * 1_000)
  }

  document.addEventListener('visibilitychange', now)
  window.addEventListener('online', now)
  now()
  return {
    now,
    stop() {
      stopped = true
      clearTimeout(timer)
      running.abort()
      document.removeEventListener('visibilitychange', now)
      window.removeEventListener('online', now)
    },
  }
}
