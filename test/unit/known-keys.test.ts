import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KnownKeys, type StoredKey } from '../../src/access/known-keys.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const KEY: StoredKey = {
  keyId: 'key_1',
  organizationIds: ['acme'],
  placements: {},
  permissions: ['job:create'],
  expiresAt: null,
  revokedAt: null,
}

/** A store of keys that a test can change, count and take down. */
function setUp(keys: Record<string, StoredKey> = { good: KEY }) {
  const known = new KnownKeys({ now: Date.now })
  const store = {
    keys,
    asked: [] as string[],
    reach: 'up' as 'up' | 'down' | 'silent',
    lookUp: (hash: string) => {
      store.asked.push(hash)
      if (store.reach === 'down') return Promise.reject(new Error('D1_ERROR: no'))
      if (store.reach === 'silent') return new Promise<undefined>(() => {})
      return Promise.resolve(store.keys[hash])
    },
  }
  /** The outcome of one check, and how long the caller waited. */
  const check = async (hash = 'good') => {
    const started = Date.now()
    let outcome: string | undefined
    const checking = known.check(hash, { lookUp: store.lookUp, keepAlive: () => {} }).then((checked) => {
      outcome = checked.ok ? 'ok' : checked.reason
    })
    await vi.advanceTimersByTimeAsync(0)
    while (outcome === undefined) await vi.advanceTimersToNextTimerAsync()
    await checking
    return { outcome, waited: Date.now() - started }
  }
  return { known, store, check }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
/** Sets the clock. Timers do not notice. */
const setClock = (by: number) => vi.setSystemTime(Date.now() + by)

beforeEach(() => void vi.useFakeTimers({ now: 1_000 * MINUTE }))
afterEach(() => void vi.useRealTimers())

describe('a valid key', () => {
  test('is told from a guess until a look-up refuses it', async () => {
    const { known, store, check } = setUp()
    await check('good')
    await check('guessed')
    await pass(2 * MINUTE)
    expect(known.recall('good')).toBeUndefined()
    expect([known.wasValid('good'), known.wasValid('guessed')]).toEqual([true, false])
    store.keys = { good: { ...KEY, revokedAt: Date.now() } }
    await check('good')
    expect(known.wasValid('good')).toBe(false)
  })

  test('names its caller', async () => {
    const { known, store } = setUp()
    expect(await known.check('good', { lookUp: store.lookUp, keepAlive: () => {} })).toEqual({
      ok: true,
      caller: {
        kind: 'key',
        id: 'key_1',
        organizationIds: ['acme'],
        placements: {},
        permissions: ['job:create'],
        expiresAt: null,
      },
    })
  })

  test('costs at most two look-ups a minute, however often it is used', async () => {
    const { store, check } = setUp()
    for (let second = 0; second < 60; second++) {
      expect((await check()).outcome).toBe('ok')
      await pass(SECOND)
    }
    expect(store.asked).toHaveLength(2)
  })

  test('is looked up once for all callers at the same time', async () => {
    const { store, check } = setUp()
    expect(await Promise.all([check(), check(), check()])).toEqual(
      Array(3).fill({ outcome: 'ok', waited: 0 }),
    )
    expect(store.asked).toHaveLength(1)
  })

  test('ends at the exact millisecond of its expiry, remembered or not', async () => {
    const { check } = setUp({ good: { ...KEY, expiresAt: Date.now() + 10 * SECOND } })
    expect((await check()).outcome).toBe('ok')
    await pass(10 * SECOND - 1)
    expect((await check()).outcome).toBe('ok')
    await pass(1)
    expect((await check()).outcome).toBe('expired')
    await pass(MINUTE)
    expect((await check()).outcome).toBe('expired')
  })

  test('is refused 60 s after it was revoked, whether it was in use or idle', async () => {
    for (const pause of [SECOND, MINUTE]) {
      const { store, check } = setUp()
      expect((await check()).outcome).toBe('ok')
      store.keys.good = { ...KEY, revokedAt: Date.now() }
      for (let waited = 0; waited < MINUTE; waited += pause) {
        await pass(pause)
        await check()
      }
      expect((await check()).outcome).toBe('revoked')
    }
  })
})

describe('a key that is not valid', () => {
  test('is refused for 10 s without another look-up, and works soon after it is issued', async () => {
    const { store, check } = setUp({})
    expect((await check()).outcome).toBe('unknown')
    store.keys.good = KEY
    await pass(10 * SECOND - 1)
    expect((await check()).outcome).toBe('unknown')
    expect(store.asked).toHaveLength(1)
    await pass(1)
    expect((await check()).outcome).toBe('ok')
  })

  test('crowds out no valid key, however many are made up', async () => {
    const { store, check } = setUp()
    await check()
    for (let n = 0; n < 6_000; n++) await check(`made-up-${n}`)
    store.asked = []
    expect((await check()).outcome).toBe('ok')
    expect(store.asked).toEqual([])
    // Only the oldest refusals are forgotten.
    await check('made-up-5999')
    expect(store.asked).toEqual([])
    await check('made-up-0')
    expect(store.asked).toEqual(['made-up-0'])
  })
})

describe('while keys cannot be looked up', () => {
  test.each(['down', 'silent'] as const)(
    '(%s) a key that was found valid is accepted for another 15 minutes',
    async (reach) => {
      const { store, check } = setUp()
      await check()
      store.reach = reach
      await pass(15 * MINUTE - 3 * SECOND)
      expect((await check()).outcome).toBe('ok')
      await pass(3 * SECOND)
      expect((await check()).outcome).toBe('unavailable')
    },
  )

  test('a key is accepted no longer than it would be otherwise', async () => {
    const { store, check } = setUp({ good: { ...KEY, expiresAt: Date.now() + 5 * MINUTE } })
    await check()
    store.reach = 'down'
    await pass(5 * MINUTE)
    expect((await check()).outcome).toBe('expired')
  })

  test('a key in use waits for no look-up', async () => {
    const { store, check } = setUp()
    await check()
    store.reach = 'silent'
    for (let second = 0; second < 10 * 60; second++) {
      await pass(SECOND)
      expect(await check()).toEqual({ outcome: 'ok', waited: 0 })
    }
    expect(store.asked.length).toBeGreaterThan(10)
  })

  test('a revocation is noticed seconds after look-ups work again', async () => {
    const { store, check } = setUp()
    await check()
    store.reach = 'down'
    for (let second = 0; second < 300; second++) {
      await pass(SECOND)
      await check()
    }
    store.reach = 'up'
    store.keys.good = { ...KEY, revokedAt: Date.now() }
    await pass(5 * SECOND)
    await check()
    expect((await check()).outcome).toBe('revoked')
  })

  test('an unknown key is neither accepted nor refused, within 2 s', async () => {
    const { store, check } = setUp()
    store.reach = 'silent'
    expect(await check('new')).toEqual({ outcome: 'unavailable', waited: 2 * SECOND })
    store.reach = 'down'
    expect(await check('newer')).toEqual({ outcome: 'unavailable', waited: 0 })
    store.reach = 'up'
    expect((await check('new')).outcome).toBe('unknown')
  })
})

test('a late result does not replace that of a later look-up', async () => {
  const { known, store, check } = setUp({})
  let answerLate = (_: undefined) => {}
  const late = new Promise<undefined>((resolve) => {
    answerLate = resolve
  })
  const first = known.check('good', { lookUp: () => late, keepAlive: () => {} })
  await pass(2 * SECOND)
  expect(await first).toEqual({ ok: false, reason: 'unavailable' })
  store.keys.good = KEY
  expect((await check()).outcome).toBe('ok')
  answerLate(undefined)
  await pass(0)
  expect((await check()).outcome).toBe('ok')
})

describe.each([
  ['back an hour', -HOUR],
  ['forward a day', 24 * HOUR],
])('when the clock is set %s', (_, step) => {
  test('a key revoked meanwhile is refused at once, and remembered as refused', async () => {
    const { known, store, check } = setUp()
    await check()
    store.keys.good = { ...KEY, revokedAt: Date.now() }
    setClock(step)
    expect(known.recall('good')).toBeUndefined()
    expect((await check()).outcome).toBe('revoked')
    expect(known.recall('good')).toEqual({ ok: false, reason: 'revoked' })
  })

  test('a key refused before works at once', async () => {
    const { store, check } = setUp({})
    expect((await check()).outcome).toBe('unknown')
    store.keys.good = KEY
    setClock(step)
    expect((await check()).outcome).toBe('ok')
  })

  test('a valid key still costs two look-ups a minute', async () => {
    const { store, check } = setUp()
    await check()
    setClock(step)
    store.asked = []
    for (let second = 0; second < 60; second++) {
      expect((await check()).outcome).toBe('ok')
      await pass(SECOND)
    }
    expect(store.asked).toHaveLength(2)
  })

  test('no caller waits for a look-up that started before', async () => {
    const { known, store, check } = setUp()
    store.reach = 'silent'
    void known.check('good', { lookUp: store.lookUp, keepAlive: () => {} })
    store.reach = 'up'
    setClock(step)
    expect(await check()).toEqual({ outcome: 'ok', waited: 0 })
  })

  test('a key accepted before without a look-up is looked up first', async () => {
    const { store, check } = setUp()
    await check()
    store.reach = 'down'
    await pass(MINUTE)
    expect((await check()).outcome).toBe('ok')
    setClock(step)
    // Nobody can tell now how long ago it was found valid.
    expect((await check()).outcome).toBe('unavailable')
    store.reach = 'up'
    store.keys.good = { ...KEY, revokedAt: Date.now() }
    expect((await check()).outcome).toBe('revoked')
  })
})
