import { beforeEach, describe, expect, test, vi } from 'vitest'
import { FailedAttempts } from '../../src/access/failed-attempts.ts'
import { type Limiter, RequestBudget } from '../../src/access/request-budget.ts'

/** A limiter with so many units left, which counts the calls. */
function limiterOf(units: number) {
  const limiter = {
    units,
    asked: [] as string[],
    isBroken: false,
    limit: async ({ key }: { key: string }) => {
      limiter.asked.push(key)
      if (limiter.isBroken) throw new Error('out of order')
      limiter.units -= 1
      return { success: limiter.units >= 0 }
    },
  }
  return limiter
}

const HOUR = 3_600_000
const CLOCK_STEPS: [string, number][] = [
  ['back an hour', -HOUR],
  ['forward a day', 24 * HOUR],
]

let now = 1_000 * HOUR
const errors: unknown[] = []
const options = { now: () => now, onError: (error: unknown) => void errors.push(error) }
beforeEach(() => void errors.splice(0))

describe('The budget of a credential', () => {
  /** Makes so many requests one after another, and returns how many passed. */
  async function spend(
    budget: RequestBudget,
    limiter: ReturnType<typeof limiterOf>,
    count: number,
    id = 'a',
  ) {
    let passed = 0
    for (let n = 0; n < count; n++) {
      const asking: Promise<unknown>[] = []
      if (budget.spend(limiter, id, (work) => void asking.push(work))) passed += 1
      await Promise.all(asking)
    }
    return passed
  }

  test('is taken in hundreds, and requests are refused when it is used up', async () => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(3)]
    // The request that exceeds the limit passes: the limiter’s reply counts from the next one on.
    expect(await spend(budget, limiter, 1_000)).toBe(301)
    expect(limiter.asked).toEqual(['a', 'a', 'a', 'a'])
  })

  test('is asked for again 10 s after a refusal', async () => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(0)]
    expect(await spend(budget, limiter, 10)).toBe(1)
    limiter.units = 1
    now += 9_999
    expect(await spend(budget, limiter, 10)).toBe(0)
    now += 1
    expect(await spend(budget, limiter, 10)).toBe(10)
  })

  test('is charged for the actual cost of a request, and nothing is refused before the limiter says so', async () => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(4)]
    const missAndPay = async () => {
      const passed = await spend(budget, limiter, 1)
      budget.chargeMiss(limiter, 'a')
      return passed
    }
    // Its share is four units, and the request that exceeds it passes.
    const passed: number[] = []
    for (let n = 0; n < 8; n++) passed.push(await missAndPay())
    expect(passed).toEqual([1, 1, 1, 1, 1, 0, 0, 0])
    expect(limiter.asked).toHaveLength(5)
  })

  test('is overdrawn by misses that come at once, and later requests pay for them', async () => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(50)]
    await spend(budget, limiter, 10)
    for (let n = 0; n < 10; n++) budget.chargeMiss(limiter, 'a')
    limiter.asked = []
    // The debt is 900: nine requests ask for it, one more asks for their own cost, and then none asks for long.
    expect(await spend(budget, limiter, 60)).toBe(60)
    expect(limiter.asked).toHaveLength(10)
  })

  describe('with misses that come 64 at a time', () => {
    beforeEach(() => {
      vi.useFakeTimers({ now })
      return () => vi.useRealTimers()
    })
    const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

    /** Makes so many requests, 64 at a time and 10 ms each; how many passed. */
    async function flood(limiter: Limiter, count: number, isMiss: boolean, budget = aBudget()) {
      let [passed, made] = [0, 0]
      const one = async () => {
        while (made++ < count) {
          const isPassed = budget.spend(limiter, 'a', () => {})
          if (isPassed) passed += 1
          await pause(10)
          if (isPassed && isMiss) budget.chargeMiss(limiter, 'a')
        }
      }
      const all = Promise.all(Array.from({ length: 64 }, one))
      await vi.advanceTimersByTimeAsync(((count + 64) / 64) * 10 + 10)
      await all
      return passed
    }
    const aBudget = () => new RequestBudget({ ...options, now: Date.now })
    const slow = (ms: number, limit: number) => {
      let granted = 0
      return {
        limit: async () => {
          await pause(ms)
          return { success: ++granted <= limit }
        },
      }
    }

    test.each([1, 50, 500])('is refused for what it owes, if the limiter takes %s ms', async (ms) => {
      expect(await flood(slow(ms, 100_000), 4_800, true)).toBeLessThan(1_000)
    })

    test('pays what it owes, and is then served again', async () => {
      const [budget, limiter] = [aBudget(), slow(50, 600)]
      const passed = await flood(limiter, 640, true, budget)
      expect(passed).toBeLessThan(200)
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await flood(limiter, 640, false, budget)).toBe(640)
    })

    test.each([
      ['silent', { limit: () => new Promise<never>(() => {}) }],
      ['out of order', { limit: () => Promise.reject(new Error('out of order')) }],
      ['not there', undefined],
    ])('is refused after 600 in a minute, though the limiter is %s', async (_, limiter) => {
      const budget = aBudget()
      const passed = await flood(limiter, 4_800, true, budget)
      expect(passed).toBeLessThan(600 + 64)
      await vi.advanceTimersByTimeAsync(60_000)
      // The first request asks about what is still owed, and its answer comes later.
      budget.spend(limiter, 'a', () => {})
      await vi.advanceTimersByTimeAsync(10)
      expect(await flood(limiter, 1_000, false, budget)).toBe(1_000)
    })

    test('does not cost a caller anything that has none, however slow the limiter is', async () => {
      expect(await flood(slow(500, 100_000), 40_000, false)).toBe(40_000)
    })
  })

  test('is separate for each credential', async () => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(0)]
    await spend(budget, limiter, 2)
    limiter.units = 1
    expect(await spend(budget, limiter, 50, 'b')).toBe(50)
    expect(await spend(budget, limiter, 1)).toBe(0)
  })

  test('keeps no request waiting for a slow limiter, and asks it one question at a time', async () => {
    const budget = new RequestBudget(options)
    let asked = 0
    const silent = {
      limit: () => {
        asked += 1
        return new Promise<{ success: boolean }>(() => {})
      },
    }
    for (let n = 0; n < 500; n++) expect(budget.spend(silent, 'a', () => {})).toBe(true)
    expect(asked).toBe(1)
  })

  test.each(CLOCK_STEPS)('is not refused any longer after the clock is set %s', async (_, step) => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(0)]
    expect(await spend(budget, limiter, 10)).toBe(1)
    limiter.units = 2
    now += step
    expect(await spend(budget, limiter, 200)).toBe(200)
  })

  test.each(CLOCK_STEPS)('is asked for again after the clock is set %s', async (_, step) => {
    const [budget, limiter] = [new RequestBudget(options), limiterOf(3)]
    // One question is granted, and one gets no reply.
    await spend(budget, limiter, 50)
    const silent = { limit: () => new Promise<{ success: boolean }>(() => {}) }
    budget.spend(silent, 'b', () => {})
    now += step
    await spend(budget, limiter, 1)
    await spend(budget, limiter, 1, 'b')
    expect(limiter.asked).toEqual(['a', 'a', 'b'])
  })

  test.each(['none bound', 'out of order'])('has no limit if the limiter is %s', async (state) => {
    const budget = new RequestBudget(options)
    const limiter = limiterOf(0)
    limiter.isBroken = true
    if (state === 'none bound') {
      for (let n = 0; n < 500; n++) expect(budget.spend(undefined, 'a', () => {})).toBe(true)
    } else {
      expect(await spend(budget, limiter, 500)).toBe(500)
      expect(errors).not.toEqual([])
    }
  })
})

describe('An address that fails to authenticate too often', () => {
  test('is barred for 10 s at a time, and other addresses are not', async () => {
    const [attempts, limiter] = [new FailedAttempts(options), limiterOf(2)]
    const outcomes = [1, 2, 3].map(() => attempts.count(limiter, '192.0.2.1'))
    expect(await Promise.all(outcomes)).toEqual([true, true, false])
    expect(attempts.isBarred('192.0.2.1')).toBe(true)
    expect(attempts.isBarred('192.0.2.2')).toBe(false)
    now += 10_000
    expect(attempts.isBarred('192.0.2.1')).toBe(false)
  })

  test.each(CLOCK_STEPS)('is not barred any longer after the clock is set %s', async (_, step) => {
    const [attempts, limiter] = [new FailedAttempts(options), limiterOf(0)]
    expect(await attempts.count(limiter, '192.0.2.1')).toBe(false)
    now += step
    expect(attempts.isBarred('192.0.2.1')).toBe(false)
    // It can be barred again.
    await attempts.count(limiter, '192.0.2.1')
    expect(attempts.isBarred('192.0.2.1')).toBe(true)
  })

  test('counts as one with its /64 if it is IPv6', async () => {
    const [attempts, limiter] = [new FailedAttempts(options), limiterOf(1)]
    await attempts.count(limiter, '2001:db8:1:2::1')
    expect(await attempts.count(limiter, '2001:db8:1:2:ffff::')).toBe(false)
    expect(attempts.isBarred('2001:db8:1:2:aaaa:bbbb:cccc:dddd')).toBe(true)
    expect(attempts.isBarred('2001:db8:1:3::1')).toBe(false)
    expect(new Set(limiter.asked).size).toBe(1)
  })

  test('is not barred if the limiter is missing or broken', async () => {
    const [attempts, limiter] = [new FailedAttempts(options), limiterOf(0)]
    limiter.isBroken = true
    expect(await attempts.count(undefined, '192.0.2.1')).toBe(true)
    expect(await attempts.count(limiter, '192.0.2.1')).toBe(true)
    expect(await attempts.count(limiterOf(0), undefined)).toBe(true)
    expect(attempts.isBarred('192.0.2.1')).toBe(false)
  })
})
