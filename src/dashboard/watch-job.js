import { open } from './api.js'
import { readEvents } from './event-stream.js'
import { pauseAfter } from './poll.js'

/** @import { Failure, Job, Outcome } from './wire.js' */

/** Milliseconds without a byte after which a stream is given up: the server sends something every 15 s. */
const SILENCE_MS = 40_000

/** @type {Failure} */
const BROKEN = { ok: false, reason: 'offline', detail: 'The connection broke', retryAfter: null }

/**
 * Follows a job while the page is visible, across broken connections, until it has finished.
 *
 * @param {string} jobId
 * @param {object} listeners
 * @param {(job: Job) => void} listeners.onJob each newer state, and the current one after each new connection
 * @param {() => void} listeners.onFinished nothing more will come
 * @param {(outcome: Outcome<unknown>) => void} listeners.onConnection how each try to connect went
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

  /** Null when there is nothing left to follow. @param {AbortController} mine @returns {Promise<Failure | null>} */
  async function follow(mine) {
    const outcome = await open(`/api/jobs/${encodeURIComponent(jobId)}/events`, {
      signal: mine.signal,
      headers: { Accept: 'text/event-stream', ...(lastId === '' ? {} : { 'Last-Event-ID': lastId }) },
    })
    onConnection(outcome)
    if (!outcome.ok) return outcome
    // Without a body, the server says that this page has seen the end already.
    const stream = outcome.body.body
    if (stream === null || (await readAll(stream, mine))) {
      stop()
      onFinished()
      return null
    }
    // The first break is nothing to talk about: servers and proxies end long connections as a matter of course.
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
      // A connection that broke is one to make again; all else is a fault of this page.
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
