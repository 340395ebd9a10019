import { expect } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call } from '../edge/harness.ts'

interface AWorker {
  jobId: string
  /** Sends a report and expects 200. */
  report: (body: object) => Promise<void>
}

/** Creates a job and returns a worker that reports on it. `fields` override those of the new job. */
export async function startWorker(edge: Edge, key: string, fields: object = {}): Promise<AWorker> {
  const body = { job_type: 'product-import', total_items: 200, ...fields }
  const { status, body: job } = await call(edge, key, 'POST', '/api/jobs/', body)
  expect(status).toBe(200)
  const report = async (body: object) => {
    const reply = await call(edge, key, 'POST', `/api/jobs/${job.job_id}/progress`, body)
    expect(reply.status).toBe(200)
  }
  return { jobId: job.job_id, report }
}

/** An error about a product, as a worker reports it. */
export function productError(entityKey: string, errorType: string, message = 'Something is wrong') {
  return { entity_key: entityKey, entity_type: 'product', error_type: errorType, message }
}
