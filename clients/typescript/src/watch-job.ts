import { describeFailure, isTemporary, readDetail, readRetryAfter } from './attempt.ts'
import { backOff } from './back-off.ts'
import type { Connection } from './connection.ts'
import { RequestRefusedError, UnreachableError } from './errors.ts'
import type { JobMessage, JobSummary } from './job.ts'
import { readEvents } from './read-events.ts'
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
    const broken = { reason: 'the stream ended', cause: undefined as unknown, retryAfterMs: 0 }
    const silence = watchSilence(connection, signal)
    try {
      const response = await connection.fetch(`${connection.url}${path}${query}`, {
        headers: new Headers({
          ...connection.headers,
          accept: 'text/event-stream',
          ...(lastEventId && { 'last-event-id': lastEventId }),
        }),
        redirect: 'manual',
        signal: silence.signal,
      })
      // The last event that was seen is the job's last.
      if (response.status === 204) return
      if (isTemporary(response.status)) {
        broken.reason = `the API answered ${response.status}`
        broken.retryAfterMs = readRetryAfter(response.headers, clock)
        await response.body?.cancel()
      } else if (!response.ok || response.body === null) throw await readRefusal(response)
      else {
        for await (const event of readEvents(response.body, silence.postpone)) {
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
      signal?.throwIfAborted()
      if (cause instanceof RequestRefusedError) throw cause
      broken.reason = describeFailure(cause)
      broken.cause = cause
    } finally {
      silence.end()
    }
    const now = clock.elapsed()
    brokenSince ??= now
    const wait = broken.retryAfterMs + backOff(Math.max(1, attempts), clock.random())
    if (now + wait > brokenSince + connection.giveUpAfterMs)
      throw new UnreachableError(`Gave up watching: ${broken.reason}`, {
        cause: broken.cause,
        retryAfterMs: wait,
      })
    await clock.wait(wait, signal)
  }
}

/** A signal that is aborted after a long silence, or with `outer`. */
function watchSilence({ clock }: Connection, outer: AbortSignal | undefined) {
  const silent = new AbortController()
  const ended = new AbortController()
  let heardAt = clock.elapsed()
  const watch = async () => {
    while (!ended.signal.aborted) {
      const left = heardAt + MAX_SILENCE_MS - clock.elapsed()
      if (left <= 0) return silent.abort(new Error('the stream is silent'))
      await clock.wait(left, ended.signal)
    }
  }
  void watch()
  return {
    signal: outer ? AbortSignal.any([silent.signal, outer]) : silent.signal,
    postpone: () => {
      heardAt = clock.elapsed()
    },
    end: () => ended.abort(),
  }
}

async function readRefusal(response: Response): Promise<RequestRefusedError> {
  const detail = await response.json().then(readDetail, () => undefined)
  return new RequestRefusedError(response.status, detail ?? response.statusText)
}
