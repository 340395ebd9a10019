import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, importJob, issueKey, startEdge } from './harness.ts'

let edge: Edge

beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

test.each(['IMPORT-2024_07', '7', '01a20c24-941b-765d-a1f9-912458cbd4df', '__proto__', 'x'.repeat(128)])(
  'a job imported as %s goes on under that id, for its own organization',
  async (id) => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    const { key: strangersKey } = await issueKey(edge, { org: freshOrganization() })
    const { body: model } = await call(edge, key, 'POST', '/api/jobs/', {
      job_type: 'import',
      total_items: 3,
    })
    await importJob(edge, model.job_id, id)
    const path = `/api/jobs/${id}`

    expect(await call(edge, strangersKey, 'GET', path)).toMatchObject({ status: 404 })
    expect(await call(edge, key, 'GET', path)).toMatchObject({ status: 200, body: { job_id: id } })
    const report = { mark_started: true, processed_items: 2 }
    const reported = await call(edge, key, 'POST', `${path}/progress`, report)
    expect(reported).toMatchObject({ status: 200, body: { job_id: id, processed_items: 2 } })
    expect((await call(edge, key, 'POST', `${path}/cancel`)).body.status).toBe('cancelled')
    expect((await call(edge, key, 'GET', `${path}/status`)).body.status).toBe('cancelled')

    // The pages of the list go on behind it.
    const ids: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = `limit=1${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
      const { body } = await call(edge, key, 'GET', `/api/jobs/?${query}`)
      ids.push(...body.jobs.map((job: { job_id: string }) => job.job_id))
      cursor = body.next_cursor
    }
    expect(ids.toSorted()).toEqual([id, model.job_id].toSorted())
  },
)
