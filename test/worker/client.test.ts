import { Milepost } from 'milepost'
import { expect, test } from 'vitest'
import { aCaller } from './a-caller.ts'

test('the client for workers runs inside the Workers runtime', async () => {
  const call = await aCaller(`org_${crypto.randomUUID()}`)
  const milepost = new Milepost({
    url: 'https://edge.test',
    key: 'the-caller-has-its-own',
    fetch: (url, { method, body }) =>
      call(
        method === 'POST' ? 'POST' : 'GET',
        new URL(url).pathname,
        body ? JSON.parse(String(body)) : undefined,
      ),
  })
  const job = await milepost.createJob({ jobType: 'import', totalItems: 3 })
  job.started()
  for (let row = 0; row < 3; row++) job.add(1, { created: 1 })
  const finished = await job.complete()
  expect(finished).toMatchObject({ status: 'completed', processedItems: 3, counters: { created: 3 } })
  expect(await milepost.jobs.get(job.jobId)).toMatchObject({ processedItems: 3 })
})
