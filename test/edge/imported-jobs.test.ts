import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, aWorker } from './fixtures.ts'
import { importJob, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

test.each(['IMPORT-2024_07', '7', '01a20c24-941b-765d-a1f9-912458cbd4df', '__proto__', 'x'.repeat(128)])(
  'a job imported as %s goes on under that ID, for its own organization',
  async (id) => {
    const { get, post, jobId } = await aWorker(edge)
    const stranger = await aCaller(edge)
    await importJob(edge, jobId, id)
    const path = `/api/jobs/${id}`

    expect(await stranger.get(path)).toMatchObject({ status: 404 })
    expect(await get(path)).toMatchObject({ status: 200, body: { job_id: id } })
    const reported = await post(`${path}/progress`, { mark_started: true, processed_items: 2 })
    expect(reported).toMatchObject({ status: 200, body: { job_id: id, processed_items: 2 } })
    expect((await post(`${path}/cancel`)).body.status).toBe('cancelled')
    expect((await get(`${path}/status`)).body.status).toBe('cancelled')

    // The list goes on after it.
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = `limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
      const { body } = await get(`/api/jobs/?${query}`)
      ids.push(...body.jobs.map((job: { job_id: string }) => job.job_id))
      cursor = body.next_cursor
    }
    expect(ids.toSorted()).toEqual([id, jobId].toSorted())
  },
)
