import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { jobObject } from '../../src/job-object/address.ts'
import type { JobAddress } from '../../src/jobs/placement.ts'
import { aNewJob, createdJob, inside, readJob, recordedJob, reported } from './fixtures.ts'

const toPost = { ...aNewJob, callbackUrl: 'https://example.com/hook' }

async function attemptsOf(key: JobAddress) {
  const { job } = await readJob(key)
  return job.attempts.map(({ error }) => error)
}

test('while the secret cannot be read from D1 no attempt is made; the job is posted afterwards', async () => {
  await env.DB.prepare('alter table webhook_secrets rename to secrets_away').run()
  const key = await createdJob(toPost)
  const { job } = await reported(key, { markCompleted: true })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  expect((await readJob(key)).job).toMatchObject({ attempts: [], nextDeliveryAt: job.completedAt })
  // Meanwhile the alarm does not spin.
  expect(await inside(key, (storage) => storage.getAlarm())).toBeGreaterThan(Date.now() + 10_000)

  await env.DB.prepare('alter table secrets_away rename to webhook_secrets').run()
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
  expect(await attemptsOf(key)).toEqual(['The organization has no signing secret'])
})

test('due deliveries and past attempts outlive the instance, and are in D1', async () => {
  const key = await createdJob(toPost)
  await reported(key, { markCompleted: true })
  const firstAttempt = ['The organization has no signing secret']
  await vi.waitFor(async () => expect(await attemptsOf(key)).toEqual(firstAttempt))
  const { job } = await readJob(key)
  expect(job.nextDeliveryAt).toBeGreaterThanOrEqual((job.attempts[0]?.at ?? 0) + 5_000)

  await evictDurableObject(jobObject(env.JOBS, key))
  expect((await readJob(key)).job).toEqual(job)
  expect(await inside(key, (storage) => storage.getAlarm())).toBe(job.nextDeliveryAt)
  await vi.waitFor(async () => expect((await recordedJob(key))?.job).toEqual(job), { timeout: 5_000 })
  await runDurableObjectAlarm(jobObject(env.JOBS, key))
})
