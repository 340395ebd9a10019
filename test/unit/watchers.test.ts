import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Watchers } from '../../src/job-object/watchers.ts'
import { aJob } from './fixtures.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('IdentityTransformStream', TransformStream)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A watcher of a silent job: how many heartbeats it got so far. */
function aWatcher(): { heartbeats: () => number } {
  let heartbeats = 0
  void (async () => {
    const decoder = new TextDecoder()
    for await (const bytes of new Watchers().add(aJob({ status: 'in_progress' }), null) ?? [])
      if (decoder.decode(bytes) === ': \n\n') heartbeats += 1
  })()
  return { heartbeats: () => heartbeats }
}

test.each([
  ['is right', 0],
  ['is set back an hour', -HOUR],
  ['is set forward a day', DAY],
])('a watcher of a silent job hears something every 15 s while the clock %s', async (_, step) => {
  const watcher = aWatcher()
  await vi.advanceTimersByTimeAsync(16_000)
  expect(watcher.heartbeats()).toBeGreaterThanOrEqual(1)
  vi.setSystemTime(Date.now() + step)
  for (let round = 0; round < 8; round++) {
    const before = watcher.heartbeats()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(watcher.heartbeats()).toBeGreaterThan(before)
  }
  // And no more often than it has to.
  expect(watcher.heartbeats()).toBeLessThan(20)
})
