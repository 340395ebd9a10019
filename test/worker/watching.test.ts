import { afterEach, describe, expect, test, vi } from 'vitest'
import { forwardWhile } from '../../src/endpoints/watch-job.ts'
import { Watchers } from '../../src/job-object/watchers.ts'
import type { JobStatus } from '../../src/jobs/job.ts'
import { aJob } from '../unit/fixtures.ts'

afterEach(() => {
  vi.useRealTimers()
})

const atRevision = (revision: number, status: JobStatus = 'in_progress') => aJob({ status, revision })

/** Reads one stream of events, an event at a time. */
function reading(stream: ReadableStream<Uint8Array> | null) {
  if (stream === null) throw new Error('there is nothing to read')
  // Nothing in between may take an event before the test asks for it.
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let text = ''
  return {
    /** The next event's id and name; undefined at the end. */
    next: async () => {
      while (!text.includes('\n\n')) {
        const { value, done } = await reader.read()
        if (done) return undefined
        text += decoder.decode(value, { stream: true })
      }
      const [event = ''] = text.split('\n\n', 1)
      text = text.slice(event.length + 2)
      return { id: Number(/^id: (\d+)$/m.exec(event)?.[1]), name: /^event: (\w+)$/m.exec(event)?.[1] }
    },
    leave: () => reader.cancel(),
  }
}

describe('A watcher', () => {
  test('that reads slowly skips to the newest state', async () => {
    vi.useFakeTimers()
    const watchers = new Watchers()
    const slow = watchers.add(atRevision(1), null)
    for (let revision = 2; revision <= 500; revision++) {
      watchers.show(atRevision(revision))
      if (revision % 100 === 0) await vi.advanceTimersByTimeAsync(110)
    }
    const { next, leave } = reading(slow)
    expect(await next()).toEqual({ id: 1, name: 'job' })
    const second = next()
    await vi.advanceTimersByTimeAsync(110)
    expect(await second).toEqual({ id: 500, name: 'job' })
    await leave()
  })

  test('that reads nothing delays no other watcher, and still gets the end of the job', async () => {
    const watchers = new Watchers()
    const slow = watchers.add(atRevision(1), null)
    const quick = reading(watchers.add(atRevision(1), null))
    expect(await quick.next()).toEqual({ id: 1, name: 'job' })
    for (const revision of [2, 3, 4]) {
      watchers.show(atRevision(revision))
      expect(await quick.next()).toEqual({ id: revision, name: 'job' })
    }
    watchers.show(atRevision(5, 'completed'))
    expect(await quick.next()).toEqual({ id: 5, name: 'finished' })
    expect(await quick.next()).toBeUndefined()

    const { next } = reading(slow)
    expect(await next()).toEqual({ id: 1, name: 'job' })
    expect(await next()).toEqual({ id: 5, name: 'finished' })
    expect(await next()).toBeUndefined()
  })

  test('that joins later sees the job as of now, not as of its last change', async () => {
    const watchers = new Watchers()
    const now = Date.now()
    const job = aJob({ status: 'in_progress', startedAt: now - 1_000 })
    const first = watchers.add(job, null)
    vi.useFakeTimers({ toFake: ['Date'], now: now + 8_000 })
    const later = watchers.add(job, null)
    expect((await new Response(later).body?.getReader().read())?.value).toSatisfy((bytes: Uint8Array) => {
      const { duration_seconds } = JSON.parse(
        /^data: (.*)$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? '',
      )
      return duration_seconds >= 9 && duration_seconds < 10
    })
    await first?.cancel()
  })

  test('that leaves takes no event from the others', async () => {
    const watchers = new Watchers()
    const [leaver, other] = [
      reading(watchers.add(atRevision(1), null)),
      reading(watchers.add(atRevision(1), null)),
    ]
    await leaver.next()
    await other.next()
    await leaver.leave()
    for (const revision of [2, 3]) {
      watchers.show(atRevision(revision))
      expect(await other.next()).toEqual({ id: revision, name: 'job' })
    }
    await other.leave()
  })

  test('gets the current state at once, even if it has seen it; nothing if it has seen the end of the job', async () => {
    const watchers = new Watchers()
    const again = reading(watchers.add(atRevision(7), 7))
    expect(await again.next()).toEqual({ id: 7, name: 'job' })
    await again.leave()
    const late = reading(watchers.add(atRevision(8, 'failed'), 7))
    expect(await late.next()).toEqual({ id: 8, name: 'finished' })
    expect(await late.next()).toBeUndefined()
    expect(watchers.add(atRevision(8, 'failed'), 8)).toBeNull()
  })
})

describe('A silent job', () => {
  const advance = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1_000)

  test('sends its watchers a comment within 15 seconds of the last thing they got', async () => {
    vi.useFakeTimers()
    const watchers = new Watchers()
    const first = reading(watchers.add(atRevision(1), null))
    await first.next()
    await advance(12)
    const late = reading(watchers.add(atRevision(1), null))
    await late.next()
    const comments = late.next()
    await advance(15)
    await expect(comments).resolves.toEqual({ id: Number.NaN, name: undefined })
    await Promise.all([first.leave(), late.leave()])
  })

  test('that gets a report while a comment is being sent sends the event as well', async () => {
    vi.useFakeTimers()
    const watchers = new Watchers()
    const { next, leave } = reading(watchers.add(atRevision(1), null))
    await next()
    await advance(14)
    watchers.show(atRevision(2))
    await advance(1)
    expect(await next()).toMatchObject({ name: undefined })
    const event = next()
    await advance(1)
    expect(await event).toEqual({ id: 2, name: 'job' })
    await leave()
  })
})

test('an event is encoded once, however many watch', async () => {
  const watchers = new Watchers()
  const readers = Array.from({ length: 200 }, () => reading(watchers.add(atRevision(1), null)))
  await Promise.all(readers.map(({ next }) => next()))
  const encode = vi.spyOn(JSON, 'stringify')
  watchers.show(atRevision(2))
  const events = await Promise.all(readers.map(({ next }) => next()))
  expect(events).toEqual(Array(200).fill({ id: 2, name: 'job' }))
  expect(encode).toHaveBeenCalledTimes(1)
  encode.mockRestore()
  await Promise.all(readers.map(({ leave }) => leave()))
})

describe('A forwarded stream', () => {
  /** A source of events; `cancel` is called when its reader leaves. */
  function aSource() {
    let source: ReadableStreamDefaultController<Uint8Array> | undefined
    const cancel = vi.fn()
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      source = controller
    }
    const events = new ReadableStream<Uint8Array>({ start, cancel })
    return {
      events,
      cancel,
      send: (byte: number) => source?.enqueue(new Uint8Array([byte])),
      end: () => source?.close(),
    }
  }

  test('lasts while the check passes, and ends with its source', async () => {
    vi.useFakeTimers()
    const { events, send, end } = aSource()
    const isStillValid = vi.fn(async () => true)
    const { readable, ended } = forwardWhile(events, isStillValid, 5)
    const reader = readable.getReader()
    await vi.advanceTimersByTimeAsync(20)
    expect(isStillValid.mock.calls.length).toBeGreaterThan(3)
    send(1)
    expect((await reader.read()).value).toEqual(new Uint8Array([1]))
    end()
    expect((await reader.read()).done).toBe(true)
    await ended
    const asked = isStillValid.mock.calls.length
    await vi.advanceTimersByTimeAsync(30)
    expect(isStillValid).toHaveBeenCalledTimes(asked)
  })

  test('tells its source when the reader leaves', async () => {
    const { events, send, cancel } = aSource()
    const { readable, ended } = forwardWhile(events, async () => true, 1_000)
    const reader = readable.getReader()
    send(1)
    await reader.read()
    await reader.cancel()
    send(2)
    await ended
    expect(cancel).toHaveBeenCalled()
  })
})
