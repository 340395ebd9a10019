import { isFinished, type Job } from '../jobs/job.ts'
import { presentSummary } from '../jobs/present-job.ts'

/** A watcher gets at most one event in so many ms, … */
const INTERVAL = 100
/** … where many watch, each its share of so many events a second in all, so that watching never slows the reports, … */
const EVENTS_PER_SECOND = 500
/** … and something at least this often, in ms, or proxies would take the connection for dead. */
const LONGEST_SILENCE = 15_000
/** How often the watchers are gone through for it, in ms: whoever would be silent for too long by the next time beats now. */
const ROUND = 5_000

const encoder = new TextEncoder()
const BEAT = encoder.encode(': \n\n')

/** What a watcher is to be sent next, for all watchers the same: encoded once, however many there are. */
interface Event {
  revision: number
  bytes: Uint8Array
  isLast: boolean
  /** When it was encoded: its duration and ETA are of then. */
  asOf: number
}

interface Watcher {
  writer: WritableStreamDefaultWriter<Uint8Array>
  /** The revision that it was sent last. */
  seen: number
  /** It has not taken yet what it was sent last. */
  isBusy: boolean
  sentAt: number
}

/**
 * Those who watch a job. A change wakes them once in an interval, not once each; a watcher that reads slowly skips what
 * it missed and goes on with the newest state, so that it costs one event of memory, and the reports no time.
 */
export class Watchers {
  readonly #watchers = new Set<Watcher>()
  #latest: Job | undefined
  #event: Event | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #beat: ReturnType<typeof setInterval> | undefined

  /** The events from `job` on; null for one who has seen the end of a finished job: there is nothing to come. */
  add(job: Job, seen: number | null): ReadableStream<Uint8Array> | null {
    if (isFinished(job.status) && seen === job.revision) return null
    const { readable, writable } = new IdentityTransformStream()
    const watcher = { writer: writable.getWriter(), seen: -1, isBusy: false, sentAt: 0 }
    this.#watchers.add(watcher)
    this.#beat ??= setInterval(() => this.#keepAlive(), ROUND)
    this.#send(watcher, this.#eventOf(job))
    return readable
  }

  /** Takes up a new state of the job. Called after each change, so it does next to nothing itself. */
  show(job: Job): void {
    this.#latest = job
    if (this.#watchers.size > 0) this.#wakeSoon()
  }

  #wakeSoon(): void {
    const interval = Math.max(INTERVAL, (this.#watchers.size / EVENTS_PER_SECOND) * 1_000)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#latest === undefined) return
      const event = this.#eventOf(this.#latest)
      for (const watcher of this.#watchers) this.#send(watcher, event)
    }, interval)
  }

  #send(watcher: Watcher, event: Event): void {
    if (watcher.isBusy || watcher.seen === event.revision) return
    watcher.seen = event.revision
    this.#write(watcher, event.bytes, event.isLast)
  }

  #keepAlive(): void {
    const silentSince = Date.now() - (LONGEST_SILENCE - ROUND)
    for (const watcher of this.#watchers) {
      if (!watcher.isBusy && watcher.sentAt <= silentSince) this.#write(watcher, BEAT, false)
    }
  }

  #write(watcher: Watcher, bytes: Uint8Array, isLast: boolean): void {
    watcher.isBusy = true
    watcher.sentAt = Date.now()
    watcher.writer.write(bytes).then(
      () => {
        watcher.isBusy = false
        if (isLast) this.#end(watcher)
        // What came while it was busy, be it with a heartbeat, passed it by.
        else if (this.#latest !== undefined && this.#latest.revision !== watcher.seen) this.#wakeSoon()
      },
      () => this.#remove(watcher), // It went away.
    )
  }

  #end(watcher: Watcher): void {
    this.#remove(watcher)
    watcher.writer.close().catch(() => {}) // It may have gone away by itself.
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    if (this.#watchers.size > 0) return
    clearInterval(this.#beat)
    this.#beat = undefined
  }

  #eventOf(job: Job): Event {
    const now = Date.now()
    const isStale = Math.abs(now - (this.#event?.asOf ?? 0)) > INTERVAL
    if (this.#event?.revision !== job.revision || isStale) this.#event = toEvent(job, now)
    return this.#event
  }
}

function toEvent(job: Job, asOf: number): Event {
  const isLast = isFinished(job.status)
  const data = JSON.stringify(presentSummary(job, asOf))
  const text = `id: ${job.revision}\nevent: ${isLast ? 'finished' : 'job'}\ndata: ${data}\n\n`
  return { revision: job.revision, bytes: encoder.encode(text), isLast, asOf }
}
