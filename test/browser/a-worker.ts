import { expect } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call } from '../edge/harness.ts'

export interface AWorker {
  jobId: string
  /** Reports, and expects to be heard. */
  report: (body: object) => Promise<void>
}

/** A job, with a worker that reports to it as told. */
export async function startWorker(edge: Edge, key: string, order: object = {}): Promise<AWorker> {
  const body = { job_type: 'product-import', total_items: 200, ...order }
  const { status, body: job } = await call(edge, key, 'POST', '/api/jobs/', body)
  expect(status).toBe(200)
  const report = async (body: object) => {
    const reply = await call(edge, key, 'POST', `/api/jobs/${job.job_id}/progress`, body)
    expect(reply.status).toBe(200)
  }
  return { jobId: job.job_id, report }
}

/** An error of a product, as workers report it. */
export function productError(entityKey: string, errorType: string, message = 'It is not right') {
  return { entity_key: entityKey, entity_type: 'product', error_type: errorType, message }
}
