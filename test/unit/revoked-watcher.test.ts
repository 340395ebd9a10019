import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KnownKeys, type StoredKey } from '../../src/access/known-keys.ts'
import { RECHECK } from '../../src/endpoints/watch-job.ts'

const MINUTE = 60_000
const START = 1_800_000_000_000

/** When a stream ends that opened at `openedAt`, with a key revoked at `revokedAt` and used by others at `usedAt`. */
async function endOf(openedAt: number, usedAt: number[], change: Partial<StoredKey> & { at: number }) {
  let now = START
  const keys = new KnownKeys({ now: () => now })
  const { at, ...changed } = change
  const valid = {
    keyId: 'k',
    organizationIds: ['o'],
    placements: {},
    permissions: [],
    expiresAt: null,
    revokedAt: null,
  }
  const isGood = async () => {
    const lookUp = async () => (now >= START + at ? { ...valid, ...changed } : valid)
    const { ok } = await keys.check('hash', { lookUp, keepAlive: () => {} })
    await new Promise(setImmediate) // Background look-ups complete before the next check.
    return ok
  }
  const checks = Array.from({ length: 40 }, (_, n) => openedAt + n * RECHECK).map((time) => ({
    time,
    ends: true,
  }))
  const uses = usedAt.map((time) => ({ time, ends: false }))
  for (const { time, ends } of [...checks, ...uses].toSorted((a, b) => a.time - b.time)) {
    now = START + time
    if (!(await isGood()) && ends) return time
  }
  return Number.POSITIVE_INFINITY
}

const opening = fc.nat({ max: MINUTE })
const uses = fc.array(fc.nat({ max: 4 * MINUTE }), { maxLength: 20 })
const later = fc.integer({ min: 1, max: 2 * MINUTE })

test('a stream ends within a minute of the revocation of its key, whenever else the key is used', async () => {
  await fc.assert(
    fc.asyncProperty(opening, uses, later, async (openedAt, usedAt, after) => {
      const at = openedAt + after
      const end = await endOf(openedAt, usedAt, { at, revokedAt: START + at })
      expect(end).toBeGreaterThanOrEqual(at)
      expect(end - at).toBeLessThanOrEqual(MINUTE)
    }),
  )
})
