import { describe, expect, test, vi } from 'vitest'
import { KnownUsage } from '../../src/access/known-usage.ts'
import { JOB_BYTES } from '../../src/jobs/limits.ts'
import { excessOf, type Usage, usedBytes } from '../../src/jobs/usage.ts'

const limits = { liveJobs: 3, bytes: 10 * JOB_BYTES }
const usage = (given: Partial<Usage>): Usage => ({ liveJobs: 0, jobs: 0, entryBytes: 0, ...given })

describe('An organization may create another job', () => {
  test.each<[string, Partial<Usage>, string | undefined]>([
    ['while it has none', {}, undefined],
    ['up to its live jobs', { liveJobs: 2, jobs: 2 }, undefined],
    ['and not beyond them', { liveJobs: 3, jobs: 3 }, 'too_many_live_jobs'],
    ['while the job fits', { jobs: 4, entryBytes: 5 * JOB_BYTES }, undefined],
    ['and not if it does not fit', { jobs: 4, entryBytes: 5 * JOB_BYTES + 1 }, 'storage_full'],
    ['and storage counts first', { liveJobs: 3, jobs: 10 }, 'storage_full'],
  ])('%s', (_, given, excess) => {
    expect(excessOf(usage(given), limits)).toBe(excess)
  })

  test('jobs and entries count as bytes', () => {
    expect(usedBytes(usage({ jobs: 2, entryBytes: 5 }))).toBe(2 * JOB_BYTES + 5)
  })
})

describe('What is known of the usage', () => {
  function aMemory() {
    const clock = { now: 1_000_000 }
    const lookUp = vi.fn(async (): Promise<Usage> => usage({}))
    const keepAlive = vi.fn()
    const known = new KnownUsage({ now: () => clock.now })
    const admit = () => known.admit('org', limits, { lookUp, keepAlive })
    return { clock, lookUp, keepAlive, known, admit }
  }

  test('is looked up once in 10 s, and counts the jobs that are created meanwhile', async () => {
    const { clock, lookUp, admit } = aMemory()
    lookUp.mockResolvedValue(usage({ liveJobs: 1, jobs: 1 }))
    expect([await admit(), await admit(), await admit()]).toEqual([
      undefined,
      undefined,
      'too_many_live_jobs',
    ])
    expect(lookUp).toHaveBeenCalledTimes(1)
    clock.now += 10_000
    expect(await admit()).toBeUndefined()
    expect(lookUp).toHaveBeenCalledTimes(2)
    clock.now += 9_999
    expect(await admit()).toBeUndefined()
    expect(lookUp).toHaveBeenCalledTimes(2)
  })

  test('is looked up again after 1 s if it refuses', async () => {
    const { clock, lookUp, admit } = aMemory()
    lookUp.mockResolvedValueOnce(usage({ liveJobs: 3, jobs: 3 }))
    expect(await admit()).toBe('too_many_live_jobs')
    clock.now += 999
    expect(await admit()).toBe('too_many_live_jobs')
    clock.now += 1
    expect(await admit()).toBeUndefined()
    expect(lookUp).toHaveBeenCalledTimes(2)
  })

  test('is looked up once by creates that come together, and all of them count', async () => {
    const { lookUp, keepAlive, admit } = aMemory()
    const excesses = await Promise.all(Array.from({ length: 5 }, admit))
    expect(excesses.filter((excess) => excess === undefined)).toHaveLength(3)
    expect(lookUp).toHaveBeenCalledTimes(1)
    expect(keepAlive).toHaveBeenCalledTimes(1)
  })

  test('is one for each organization', async () => {
    const { lookUp, keepAlive, known, admit } = aMemory()
    lookUp.mockResolvedValueOnce(usage({ liveJobs: 3 }))
    expect(await admit()).toBe('too_many_live_jobs')
    expect(await known.admit('other', limits, { lookUp, keepAlive })).toBeUndefined()
  })

  test('refuses nobody while D1 is down, and D1 is asked once in 10 s', async () => {
    const { clock, lookUp, admit } = aMemory()
    lookUp.mockRejectedValue(new Error('D1_ERROR'))
    for (let n = 0; n < 5; n++) expect(await admit()).toBeUndefined()
    expect(lookUp).toHaveBeenCalledTimes(1)
    clock.now += 10_000
    lookUp.mockResolvedValue(usage({ liveJobs: 3 }))
    expect(await admit()).toBe('too_many_live_jobs')
  })

  test('keeps no create waiting longer than a second while D1 hangs, and only the first ones', async () => {
    vi.useFakeTimers()
    try {
      const { lookUp, admit } = aMemory()
      let answer: (usage: Usage) => void = () => {}
      lookUp.mockReturnValueOnce(
        new Promise((resolve) => {
          answer = resolve
        }),
      )
      const first = admit()
      await vi.advanceTimersByTimeAsync(1_000)
      expect(await first).toBeUndefined()
      expect(await admit()).toBeUndefined()
      expect(lookUp).toHaveBeenCalledTimes(1)
      answer(usage({ liveJobs: 3 }))
      await vi.advanceTimersByTimeAsync(0)
      expect(await admit()).toBe('too_many_live_jobs')
    } finally {
      vi.useRealTimers()
    }
  })
})
