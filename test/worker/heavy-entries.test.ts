import { runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { ReportedEntry } from '../../src/jobs/apply-report.ts'
import type { EntryPage } from '../../src/jobs/entry-page.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { findEntries } from '../../src/store/find-entries.ts'
import { anError, createdJob, keysOf, readJob, recordedJob, reported, store } from './fixtures.ts'

/** The largest entry possible: control characters, each of which takes six bytes in JSON. */
function heavy(entityKey: string): ReportedEntry {
  const line = '\u0001'.repeat(4_096)
  return { ...anError(entityKey), errorType: line, step: line, message: '\u0001'.repeat(16_384) }
}

test('a job with the largest possible entries keeps working, is recorded, and is read in pages of bounded size', async () => {
  const key = await createdJob()
  const keys = Array.from({ length: 200 }, (_, n) => `sku-${n}`)
  for (let from = 0; from < keys.length; from += 5) {
    await reported(key, { errors: keys.slice(from, from + 5).map(heavy) })
  }
  const { job, errors } = await readJob(key)
  expect(job.errorCount).toBe(200)
  expect(errors).toHaveLength(1)
  expect(keysOf(errors)).toEqual(keys.slice(-errors.length))

  expect(await keysByPages(key)).toEqual(keys)
  await vi.waitFor(
    async () => {
      await runDurableObjectAlarm(jobObject(env.JOBS, key))
      expect(await recordedJob(key)).toEqual(await readJob(key))
    },
    { timeout: 15_000 },
  )
  const page: EntryPage = { kind: 'error', after: 0, limit: 1_000, errorType: null }
  const { entries: inD1 } = await findEntries(store, key, page, 200)
  const inObject = await jobObject(env.JOBS, key).entries(key, page)
  expect(inD1.map(({ text }) => text)).toEqual(inObject.ok && inObject.texts)
})

async function keysByPages(key: JobAddress): Promise<string[]> {
  const found: string[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page: EntryPage = { kind: 'error', after, limit: 1_000, errorType: null }
    const reply = await jobObject(env.JOBS, key).entries(key, page)
    if (!reply.ok) throw new Error(reply.reason)
    expect(reply.texts.join('').length).toBeLessThan(1_300_000)
    found.push(...keysOf(reply.texts))
    after = reply.next
  }
  return found
}
