import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

let edge: Edge
let folder: string
beforeAll(async () => {
  edge = await startEdge()
  folder = await mkdtemp(join(tmpdir(), 'feed-worker-'))
  await writeFile(join(folder, 'mapping.json'), '{"title": "name", "key": "sku"}')
})
afterAll(async () => {
  await edge?.dispose()
  await rm(folder, { recursive: true })
})

/** Starts the example on a feed served by `answer`. `readJob` reads the only job of its organization from the API. */
async function startWorker(path: string, answer: RequestListener) {
  const { key } = await issueKey(edge, { org: freshOrganization() })
  const shop = createServer(answer).listen(0, '127.0.0.1')
  await once(shop, 'listening')
  const source = `http://127.0.0.1:${(shop.address() as AddressInfo).port}${path}`
  const worker = spawn(
    process.execPath,
    [
      ...['examples/feed-worker/main.ts', source, '--mapping', join(folder, 'mapping.json')],
      ...['--url', edge.url, '--key', key],
    ],
    { stdio: 'ignore' },
  )
  onTestFinished(() => {
    worker.kill('SIGKILL')
    shop.close()
    shop.closeAllConnections()
  })
  const ended = once(worker, 'close').then(([code]) => code)
  const readJob = async () => {
    const { body } = await call(edge, key, 'GET', '/api/jobs/')
    return (await call(edge, key, 'GET', `/api/jobs/${body.jobs[0].job_id}`)).body
  }
  return { worker, ended, readJob }
}

test('SIGTERM during a hanging download leaves a failed job', async () => {
  let hang = () => {}
  const hanging = new Promise<void>((resolve) => {
    hang = resolve
  })
  const { worker, ended, readJob } = await startWorker('/feed.csv', hang)
  await hanging
  worker.kill('SIGTERM')
  expect(await ended).toBe(143)
  expect(await readJob()).toMatchObject({
    status: 'failed',
    error_message: 'The import stopped: the worker was told to stop',
    metadata: { stage: 'downloading' },
  })
})

test('a gzip feed is imported with correct counts, even if a product has the key of a refused row', async () => {
  const feed = gzipSync('sku,name\ntea,Tea\ntea,Tea\ntea#2,Lost \uFFFD\n')
  const { ended, readJob } = await startWorker('/feed.csv.gz', (_, response) => response.end(feed))
  expect(await ended).toBe(0)
  expect(await readJob()).toMatchObject({
    status: 'partial_success',
    total_items: 3,
    processed_items: 2,
    failed_items: 1,
    warned_items: 1,
    metadata: { stage: 'dispatched', import_job_id: expect.stringMatching(/^enrichment-/) },
    stall_after_seconds: 300,
  })
})
