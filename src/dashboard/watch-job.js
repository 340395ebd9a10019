import { open } from './api.js'
import { readEvents } from './event-stream.js'
import { pauseAfter } from './poll.js'

/** @import { Failure, Job, Outcome } from './wire.js' */

/** Milliseconds of silence before a stream counts as broken. The server sends something every 15 s. */
const SILENCE_MS = 40_000

/** @type {Failure} */
const BROKEN = { ok: false, reason: 'offline', detail: 'The connection broke', retryAfter: null }

/**
 * Follows a job until it finishes, while the page is visible. Reconnects after broken connections.
 *
 * @param {string} jobId
 * @param {object} listeners
 * @param {(job: Job) => void} listeners.onJob receives each update, and the current job after each connect
 * @param {() => void} listeners.onFinished called after the last update
 * @param {(outcome: Outcome<unknown>) => void} listeners.onConnection receives the outcome of each attempt to connect
 * @returns {{ stop: () => void }}
 */
export function watchJob(jobId, { onJob, onFinished, onConnection }) {
  let stopped = false
  let lastId = ''
  let failures = 0
  let timer = 0
  let running = new AbortController()

  async function connect() {
    clearTimeout(timer)
    running.abort()
    if (stopped || document.hidden) return
    const mine = new AbortController()
    running = mine
    const outcome = await follow(mine).catch((error) => {
      if (!mine.signal.aborted) throw error
      return null
    })
    if (outcome === null || stopped || mine !== running) return
    failures += 1
    timer = setTimeout(connect, pauseAfter(outcome, failures) * 1_000)
  }

  /** Resolves to null once the job has finished. @param {AbortController} mine @returns {Promise<Failure | null>} */
  async function follow(mine) {
    const outcome = await open(`/api/jobs/${encodeURIComponent(jobId)}/events`, {
      signal: mine.signal,
      headers: { Accept: 'text/event-stream', ...(lastId === '' ? {} : { 'Last-Event-ID': lastId }) },
    })
    onConnection(outcome)
    if (!outcome.ok) return outcome
    // An empty response means that this page has already seen the end.
    const stream = outcome.body.body
    if (stream === null || (await readAll(stream, mine))) {
      stop()
      onFinished()
      return null
    }
    // Don't report the first break: servers and proxies routinely end long connections.
    if (failures > 0) onConnection(BROKEN)
    return BROKEN
  }

  /** @param {ReadableStream<Uint8Array<ArrayBuffer>>} body @param {AbortController} mine */
  async function readAll(body, mine) {
    let silence = 0
    const heard = () => {
      clearTimeout(silence)
      silence = setTimeout(() => {
        mine.abort()
        connect()
      }, SILENCE_MS)
    }
    heard()
    try {
      for await (const event of readEvents(body, heard)) {
        failures = 0
        lastId = event.id
        if (event.type === 'job' || event.type === 'finished') onJob(JSON.parse(event.data))
        if (event.type === 'finished') return true
      }
    } catch (error) {
      // fetch throws a TypeError for a broken connection. Anything else is a bug of this page.
      if (!(error instanceof TypeError)) throw error
    } finally {
      clearTimeout(silence)
    }
    return false
  }

  function stop() {
    stopped = true
    clearTimeout(timer)
    running.abort()
    document.removeEventListener('visibilitychange', connect)
    window.removeEventListener('online', connect)
  }

  document.addEventListener('visibilitychange', connect)
  window.addEventListener('online', connect)
  connect()
  return { stop }
}
