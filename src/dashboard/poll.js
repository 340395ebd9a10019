/** @import { Failure, Outcome } from './wire.js' */

/** Seconds to wait after the first failure, and at most. */
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 30
/** Seconds to wait after a refusal: someone may grant the permission. */
const REFUSED_PAUSE = 15

/**
 * How many seconds to wait after a failure: at least as long as the server asks, and longer with each failure in a row.
 *
 * @param {Failure} outcome @param {number} failures in a row, from 1
 */
export function pauseAfter(outcome, failures) {
  const passing =
    outcome.reason === 'busy' || outcome.reason === 'unavailable' || outcome.reason === 'offline'
  if (!passing) return REFUSED_PAUSE
  const growing = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1))
  // Spread the retries: the pages of a whole team must not all come back at the same moment.
  return Math.max(outcome.retryAfter ?? 0, growing) * (1 + Math.random() / 4)
}

/**
 * Refreshes now and every `seconds` while the page is visible, and backs off on failures. Calling `now` aborts a refresh in
 * progress.
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
