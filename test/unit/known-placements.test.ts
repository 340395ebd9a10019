import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { KnownPlacements } from '../../src/access/known-placements.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

/** A directory that can be changed, counted, and put out of reach. */
function setUp() {
  const known = new KnownPlacements({ now: Date.now })
  const directory = { database: 'DB', version: 1, asked: 0, reach: 'up' as 'up' | 'down' | 'silent' }
  const lookUp = async () => {
    directory.asked++
    const { reach, database, version } = directory
    if (reach === 'down') throw new Error('D1_ERROR: no')
    return reach === 'silent' ? await new Promise<never>(() => {}) : { database, version }
  }
  const find = async () => {
    const startedAt = Date.now()
    let found: { database: string | undefined } | undefined
    void known.find('acme', { lookUp, keepAlive: () => {} }).then((placement) => {
      found = { database: placement?.database }
    })
    await vi.advanceTimersByTimeAsync(0)
    while (found === undefined) await vi.advanceTimersToNextTimerAsync()
    return { ...found, waited: Date.now() - startedAt }
  }
  return { directory, find }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => void vi.useFakeTimers({ now: 1_000 * MINUTE }))
afterEach(() => void vi.useRealTimers())

test('an organization in use costs at most two look-ups a minute, and nobody waits for the later ones', async () => {
  const { directory, find } = setUp()
  for (let second = 0; second < 120; second++) {
    expect(await find()).toEqual({ database: 'DB', waited: 0 })
    await pass(SECOND)
  }
  expect(directory.asked).toBeLessThanOrEqual(4)
})

test('a move takes effect within a minute', async () => {
  const { directory, find } = setUp()
  await find()
  Object.assign(directory, { database: 'DB_2', version: 2 })
  await pass(MINUTE)
  expect(await find()).toMatchObject({ database: 'DB_2' })
})

test.each(['down', 'silent'] as const)(
  'while D1 is %s, what was known counts for 15 minutes',
  async (reach) => {
    const { directory, find } = setUp()
    await find()
    directory.reach = reach
    await pass(2 * MINUTE)
    expect(await find()).toEqual({ database: 'DB', waited: reach === 'silent' ? 2 * SECOND : 0 })
    await pass(SECOND)
    expect(await find()).toEqual({ database: 'DB', waited: 0 })
    await pass(15 * MINUTE)
    expect(await find()).toMatchObject({ database: undefined })
  },
)

test('what was never known is not guessed', async () => {
  const { directory, find } = setUp()
  directory.reach = 'down'
  expect(await find()).toEqual({ database: undefined, waited: 0 })
})
