import { isFinished, type Job } from '../jobs/job.ts'
import { MAX_EVENTS_A_JOB, MAX_EVENTS_A_WATCHER } from '../jobs/limits.ts'
import type { LogLine } from '../jobs/log-line.ts'
import { presentMessage, presentSummary } from '../jobs/present-job.ts'
import { Moment } from '../moment.ts'

/** The shortest time between two events to one watcher, in ms. */
const MIN_INTERVAL = 1_000 / MAX_EVENTS_A_WATCHER
/** The longest silence toward a watcher, in ms. Proxies drop connections that are idle for longer. */
const MAX_SILENCE = 15_000
/** How often watchers are checked for heartbeats, in ms. A watcher gets one if the next check would be too late. */
const HEARTBEAT_CHECK = 5_000

const encoder = new TextEncoder()
const HEARTBEAT = encoder.encode(': \n\n')

/** What the watchers are sent next. Encoded once for all of them. */
interface Event {
  revision: number
  bytes: Uint8Array
  isLast: boolean
  /** When it was encoded, in ms since the epoch: its duration and ETA are of that time. */
  asOf: number
}

interface Watcher {
  writer: WritableStreamDefaultWriter<Uint8Array>
  /** The last revision sent to it. */
  seen: number
  /** The revision of the last message sent to it; null if it gets none. */
  read: number | null
  /** It has not yet taken what was sent last. */
  isBusy: boolean
  sentAt: Moment
}

/**
 * The watchers of a job. Changes are sent once per interval, not one by one. A slow watcher skips the states it missed
 * and continues with the newest one: it costs the memory of one event, and never holds up a report.
 */
export class Watchers {
  readonly #watchers = new Set<Watcher>()
  readonly #messagesAfter: (revision: number) => LogLine[]
  #latest: Job | undefined
  #event: Event | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #heartbeat: ReturnType<typeof setInterval> | undefined

  /** `messagesAfter` finds the messages that came with a revision after the given one, oldest first. */
  constructor(messagesAfter: (revision: number) => LogLine[] = () => []) {
    this.#messagesAfter = messagesAfter
  }

  /**
   * The events starting with `job`, or with those of the `messages` that were not seen yet; null for a watcher without
   * messages. Null if the job is finished and its last revision was already seen.
   */
  add(job: Job, seen: number | null, messages: LogLine[] | null = null): ReadableStream<Uint8Array> | null {
    if (isFinished(job.status) && seen === job.revision) return null
    const { readable, writable } = new IdentityTransformStream()
    const sentAt = new Moment(Date.now())
    const read = messages && (seen ?? 0)
    const watcher: Watcher = { writer: writable.getWriter(), seen: -1, read, isBusy: false, sentAt }
    this.#watchers.add(watcher)
    this.#heartbeat ??= setInterval(() => this.#keepAlive(), HEARTBEAT_CHECK)
    this.#send(watcher, this.#eventOf(job), messages ?? [])
    return readable
  }

  /** Sends a new state soon. Called after every change, so it does almost nothing itself. */
  show(job: Job): void {
    this.#latest = job
    if (this.#watchers.size > 0) this.#wakeSoon()
  }

  #wakeSoon(): void {
    const interval = Math.max(MIN_INTERVAL, (this.#watchers.size / MAX_EVENTS_A_JOB) * 1_000)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#latest === undefined) return
      const event = this.#eventOf(this.#latest)
      for (const watcher of this.#watchers) this.#send(watcher, event)
    }, interval)
  }

  #send(watcher: Watcher, event: Event, messages?: LogLine[]): void {
    if (watcher.isBusy || watcher.seen === event.revision) return
    watcher.seen = event.revision
    this.#write(watcher, this.#withMessages(watcher, event, messages), event.isLast)
  }

  /** An event behind the messages that led to it and that its watcher has yet to get. */
  #withMessages(watcher: Watcher, { bytes }: Event, found?: LogLine[]): Uint8Array {
    const { read } = watcher
    if (read === null) return bytes
    const messages = (found ?? this.#messagesAfter(read)).filter(({ revision }) => revision > read)
    watcher.read = messages.at(-1)?.revision ?? read
    const texts = messages.map(
      (message) => `event: message\ndata: ${JSON.stringify(presentMessage(message))}\n\n`,
    )
    return texts.length === 0 ? bytes : concat(encoder.encode(texts.join('')), bytes)
  }

  #keepAlive(): void {
    const now = Date.now()
    for (const watcher of this.#watchers) {
      const isSilent = !watcher.sentAt.isWithin(MAX_SILENCE - HEARTBEAT_CHECK, now)
      if (!watcher.isBusy && isSilent) this.#write(watcher, HEARTBEAT, false)
    }
  }

  #write(watcher: Watcher, bytes: Uint8Array, isLast: boolean): void {
    watcher.isBusy = true
    watcher.sentAt = new Moment(Date.now())
    watcher.writer.write(bytes).then(
      () => {
        watcher.isBusy = false
        if (isLast) this.#end(watcher)
        // It missed any state that arrived while it was busy, even with a heartbeat.
        else if (this.#latest !== undefined && this.#latest.revision !== watcher.seen) this.#wakeSoon()
      },
      () => this.#remove(watcher), // It disconnected.
    )
  }

  #end(watcher: Watcher): void {
    this.#remove(watcher)
    watcher.writer.close().catch(() => {}) // It may have disconnected already.
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    if (this.#watchers.size > 0) return
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #eventOf(job: Job): Event {
    const now = Date.now()
    const isStale = Math.abs(now - (this.#event?.asOf ?? 0)) > MIN_INTERVAL
    if (this.#event?.revision !== job.revision || isStale) this.#event = toEvent(job, now)
    return this.#event
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length)
  whole.set(first)
  whole.set(second, first.length)
  return whole
}

function toEvent(job: Job, asOf: number): Event {
  const isLast = isFinished(job.status)
  const data = JSON.stringify(presentSummary(job, asOf))
  const text = `id: ${job.revision}\nevent: ${isLast ? 'finished' : 'job'}\ndata: ${data}\n\n`
  return { revision: job.revision, bytes: encoder.encode(text), isLast, asOf }
}
