import { backOff } from './back-off.ts'
import type { Connection } from './connection.ts'
import { UnreachableError } from './errors.ts'
import type { JobMessage, JobSummary } from './job.ts'
import { type Break, openStream, toBreak } from './open-stream.ts'
import { readEvents } from './read-events.ts'
import { Silence } from './silence.ts'
import { readMessage, readSummary } from './wire.ts'

/** The API sends a heartbeat every 15 s. A connection that is silent for longer than this is dead. */
const MAX_SILENCE_MS = 45_000

export interface WatchOptions {
  signal?: AbortSignal
  /** Called with each message of the job, once. */
  onMessage?: (message: JobMessage) => void
}

/**
 * Follows the event stream at `path` until its last event. When it breaks, connects again from the last event that was seen.
 * Throws RequestRefusedError if the API refuses it, UnreachableError after `giveUpAfterMs` without a connection, and the reason
 * of `signal` when it is aborted.
 */
export async function* watchJob(
  connection: Connection,
  path: string,
  { signal, onMessage }: WatchOptions = {},
): AsyncGenerator<JobSummary, void> {
  const { clock } = connection
  const query = onMessage === undefined ? '' : '?messages=true'
  let lastEventId = ''
  let lastSeq = 0
  let brokenSince: number | undefined
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted()
    const silence = new Silence(clock, signal)
    const noteBytes = () => silence.limitTo(MAX_SILENCE_MS)
    noteBytes()
    let broken: Break = { reason: 'the stream ended', retryAfterMs: 0 }
    try {
      const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) }
      const opened = await openStream(connection, `${path}${query}`, headers, silence.signal)
      // The last event that was seen is the job's last.
      if (opened === null) return
      if ('reason' in opened) broken = opened
      else {
        for await (const event of readEvents(opened, noteBytes)) {
          if (event.event === 'message') {
            const message = readMessage(JSON.parse(event.data))
            // After a reconnect, messages may come again.
            if (message.seq > lastSeq) onMessage?.(message)
            lastSeq = Math.max(lastSeq, message.seq)
            continue
          }
          const job = readSummary(JSON.parse(event.data))
          // After a reconnect, the state that was seen last may come again.
          const isNew = event.id !== lastEventId
          lastEventId = event.id
          brokenSince = undefined
          attempts = 0
          if (isNew) yield job
          if (event.event === 'finished') return
        }
      }
    } catch (cause) {
      broken = toBreak(cause, signal)
    } finally {
      silence.allow()
    }
    const now = clock.elapsed()
    brokenSince ??= now
    const retryAfterMs = broken.retryAfterMs + backOff(Math.max(1, attempts), clock.random())
    if (now + retryAfterMs > brokenSince + connection.giveUpAfterMs)
      throw new UnreachableError(`Gave up watching: ${broken.reason}`, { cause: broken.cause, retryAfterMs })
    await clock.wait(retryAfterMs, signal)
  }
}
