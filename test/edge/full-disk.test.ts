import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Edge, openEdge } from '../../scripts/edge.ts'
import { NEW_JOB, UNKNOWN_ID } from './fixtures.ts'
import { call, freshOrganization, issueKey, type Reply } from './harness.ts'
import { mountDisk } from './mount-disk.ts'

/** Long enough that each report needs new room on the disk. */
const MESSAGE = 'm'.repeat(1_000)

vi.setConfig({ testTimeout: 120_000 })

test('on a full disk requests get 503 and no acknowledged report is lost; with room again everything goes on', async ({
  skip,
}) => {
  const disk = mountDisk('48m')
  if (disk === undefined) return skip('Mounting a disk takes Linux and root')
  onTestFinished(disk.unmount)
  const edge = await openEdge({ persistTo: disk.folder, quiet: true })
  onTestFinished(edge.dispose)
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const refused: object[] = []
  const send = async (method: string, path: string, body?: object, headers?: Record<string, string>) => {
    const reply = await call(edge, key, method, path, body, headers)
    const { status, body: said } = reply
    if (status !== 200) refused.push({ status, retryAfter: reply.headers.get('Retry-After'), said })
    return reply
  }
  const workers = await Promise.all([1, 2, 3, 4].map(() => startWorker(send)))
  onTestFinished(async () => void (await Promise.all(workers.map((worker) => worker.stop()))))
  const spare = (await send('POST', '/api/jobs/', NEW_JOB)).body.job_id as string
  await untilEach(workers, (worker) => worker.acknowledged.length >= 3)

  const giveBack = disk.fill()
  await untilEach(workers, (worker) => worker.refusals >= 3)
  expect((await send('POST', '/api/jobs/', NEW_JOB)).status).toBe(503)
  expect((await send('POST', `/api/jobs/${spare}/cancel`, {})).status).toBe(503)
  expect((await send('GET', `/api/jobs/${UNKNOWN_ID}`)).status).toBe(503)
  await send('POST', '/api/jobs/', NEW_JOB, { 'Idempotency-Key': 'k' })
  await send('GET', '/api/jobs/')
  for (const { path } of workers) {
    for (const part of ['', '/status', '/warnings', '/entry-groups', '/deliveries'])
      await send('GET', path + part)
  }

  giveBack()
  const before = workers.map(({ acknowledged }) => acknowledged.length)
  await untilEach(workers, (worker, index) => worker.acknowledged.length >= (before[index] ?? 0) + 3)
  await Promise.all(workers.map((worker) => worker.stop()))
  expect((await send('POST', `/api/jobs/${spare}/cancel`, {})).status).toBe(200)
  expect((await send('POST', '/api/jobs/', NEW_JOB)).status).toBe(200)

  const unavailable = { status: 503, retryAfter: '5', said: { detail: 'Temporarily unavailable' } }
  expect(refused).toEqual(refused.map(() => unavailable))
  const d1 = new DatabaseSync(edge.d1File(), { readOnly: true })
  for (const { path, acknowledged, last } of workers) {
    const shown = (await send('GET', path)).body
    expect(shown.processed_items).toBe(last())
    const kept = await entryKeys(edge, key, path)
    expect(kept).toEqual([...new Set(kept)])
    expect(kept).toEqual(expect.arrayContaining(acknowledged))
    await vi.waitFor(
      () =>
        expect(
          d1
            .prepare(
              `select processed_items, (select count(*) from job_entries e where e.job_id = j.job_id) as entries
                from jobs j where job_id = ?`,
            )
            .get(shown.job_id),
        ).toEqual({ processed_items: shown.processed_items, entries: kept.length }),
      { timeout: 30_000, interval: 200 },
    )
  }
  d1.close()
})

type Send = (method: string, path: string, body?: object) => Promise<Reply>

/** Reports on its own job as fast as replies come, until it is stopped, and repeats what is refused. */
async function startWorker(send: Send) {
  const path = `/api/jobs/${(await send('POST', '/api/jobs/', NEW_JOB)).body.job_id}`
  const worker = { path, acknowledged: [] as string[], refusals: 0, last: () => n - 1, stop }
  let n = 1
  let stopped = false
  const running = (async () => {
    while (!stopped) {
      const warning = { entity_key: `row-${n}`, entity_type: 'row', error_type: 'odd', message: MESSAGE }
      const { status } = await send('POST', `${path}/progress`, { processed_items: n, warning })
      if (status !== 200) worker.refusals++
      else worker.acknowledged.push(`row-${n++}`)
    }
  })()
  function stop() {
    stopped = true
    return running
  }
  return worker
}

type Worker = Awaited<ReturnType<typeof startWorker>>

function untilEach(workers: Worker[], holds: (worker: Worker, index: number) => boolean): Promise<void> {
  return vi.waitFor(() => expect(workers.map(holds)).toEqual(workers.map(() => true)), {
    timeout: 40_000,
    interval: 20,
  })
}

/** The entity keys of all warnings of a job. */
async function entryKeys(edge: Edge, key: string, path: string): Promise<string[]> {
  const { text } = await call(edge, key, 'GET', `${path}/warnings`, undefined, {
    Accept: 'application/x-ndjson',
  })
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).entity_key)
}
