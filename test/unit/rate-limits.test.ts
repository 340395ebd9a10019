import { beforeEach, describe, expect, test } from 'vitest'
import { FailedAttempts } from '../../src/access/failed-attempts.ts'
import { RequestBudget } from '../../src/access/request-budget.ts'

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
      budget.charge(limiter, 'a', 99)
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
    for (let n = 0; n < 10; n++) budget.charge(limiter, 'a', 99)
    limiter.asked = []
    // The debt is 900: nine requests ask for it, one more asks for their own cost, and then none asks for long.
    expect(await spend(budget, limiter, 60)).toBe(60)
    expect(limiter.asked).toHaveLength(10)
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
