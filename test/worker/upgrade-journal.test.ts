import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { KeyedRequest } from '../../src/jobs/keyed-request.ts'
import { MAX_REPLY_BYTES } from '../../src/jobs/limits.ts'
import { ageJournal } from '../chaos/edge/age-journal.ts'
import { aNewJob, createdJob, inside, readJob, reported } from './fixtures.ts'

const REPLIES = 200

test('of the replies that version 0.1.0 kept, the newest 4 MB are kept whole, and of the others the keys', async () => {
  const key = await createdJob({ ...aNewJob, metadata: { text: 'x'.repeat(60_000) } })
  const report = (request: KeyedRequest) =>
    jobObject(env.JOBS, key).report(key, { processedItems: 1 }, request)
  const first = await report(aRequest(0))
  await inside(key, (storage) => {
    expect(ageJournal(storage)).toBe(true)
    storage.sql.exec(`
      with recursive number (n) as (select 1 union all select n + 1 from number where n < ${REPLIES - 1})
      insert into answer (slot, n, retry_key, fingerprint, as_of, job)
        select number.n, number.n, 'key ' || number.n, fingerprint, as_of, job from number, answer`)
  })
  await evictDurableObject(jobObject(env.JOBS, key))

  // The newest and the oldest are repeated: neither is applied again.
  expect(await report(aRequest(REPLIES - 1))).toEqual({ ...first, replayed: true })
  expect(await report(aRequest(0))).toMatchObject({ ok: true, replayed: true, revision: 2 })
  // That version had no counters.
  expect((await readJob(key)).job).toMatchObject({ counters: {}, countersNotKept: 0 })
  expect((await reported(key, { counters: { created: 5 } })).job.counters).toEqual({ created: 5 })
  const kept = await inside(key, ({ sql }) =>
    sql.exec('select count(*) as replies, sum(octet_length(job)) as bytes from reply').one(),
  )
  expect(kept.replies).toBe(REPLIES)
  expect(kept.bytes).toBeLessThanOrEqual(MAX_REPLY_BYTES)
  expect(kept.bytes).toBeGreaterThan(MAX_REPLY_BYTES - 100_000)
})

function aRequest(n: number): KeyedRequest {
  return { key: `key ${n}`, fingerprint: 'body' }
}
