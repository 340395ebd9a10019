import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startFlakyProxy } from './flaky-proxy.ts'

test('the proxy breaks requests in every way it knows, and the same ones for the same seed', async () => {
  let reached = 0
  const target = createServer((_, response) => {
    reached++
    response.end('{"complete": "reply"}')
  })
  await once(target.listen(0, '127.0.0.1'), 'listening')
  const { port } = target.address() as AddressInfo

  const run = async () => {
    const proxy = await startFlakyProxy(`http://127.0.0.1:${port}`, 7)
    reached = 0
    const seen: string[] = []
    for (let n = 0; n < 60; n++) {
      const reply = fetch(proxy.url, { method: 'POST', body: '{}' })
      seen.push(await reply.then(async (it) => `${it.status} ${await it.text()}`).catch(() => 'broken'))
    }
    await proxy.close()
    const { requests, faults } = proxy
    return { requests, faults, seen, reached }
  }
  const first = await run()
  const second = await run()
  target.close()

  expect(second).toEqual(first)
  expect(first.requests).toBe(60)
  for (const times of Object.values(first.faults)) expect(times).toBeGreaterThan(0)
  const { dropped = 0, unavailable = 0, shortened = 0 } = first.faults
  expect(first.reached).toBe(60 - dropped - unavailable)
  expect(first.seen.filter((reply) => reply === '200 {"complete')).toHaveLength(shortened)
})
