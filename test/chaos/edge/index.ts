/** The edge of a chaos run: the product, with routes beside its own by which faults are injected from inside. */
// First, since the product keeps `Date.now` by reference.
import './moved-clock.ts'

import type { Env } from '../../../src/env.ts'
import product from '../../../src/index.ts'
import { jobObject } from '../../../src/job-object/address.ts'
import { type JobRecord, recordJob } from '../../../src/store/record-job.ts'
import { openStore } from '../../../src/store/store.ts'
import { ORDERS_PATH, ORGANIZATION, type Order } from '../orders.ts'
import { type JobObject, outlive } from './faulty-job-object.ts'
import { moveClock } from './moved-clock.ts'

export { JobObject } from './faulty-job-object.ts'

type FaultCalls = Pick<JobObject, 'look' | 'loseStorage' | 'ageJournal'>

export default {
  ...product,
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== ORDERS_PATH) return await product.fetch(request, env, ctx)
    return Response.json(await obey((await request.json()) as Order, env))
  },
} satisfies ExportedHandler<Env>

async function obey(order: Order, env: Env): Promise<unknown> {
  const objectOf = (jobId: string) =>
    jobObject(env.JOBS, { organizationId: ORGANIZATION, jobId }) as unknown as FaultCalls
  switch (order.do) {
    case 'move clock':
      return moveClock(order.by)
    case 'look':
      return await objectOf(order.jobId).look()
    case 'lose storage':
      return await outlive(objectOf(order.jobId).loseStorage(order.lastWords))
    case 'age journal':
      return await outlive(objectOf(order.jobId).ageJournal())
    case 'record':
      return await recordJob(openStore(env.DB), order.record as unknown as JobRecord)
  }
}
