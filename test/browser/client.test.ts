import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Milepost } from 'milepost'
import { expect, onTestFinished, test } from 'vitest'
import { aCaller } from '../edge/fixtures.ts'
import { startEdge } from '../edge/harness.ts'
import { hasBrowser, openBrowser, openPage } from './open-browser.ts'

const PAGE = `<script type="module">import { Milepost } from '/index.js'; globalThis.Client = Milepost</script>`

/** Serves the page and the package, by plain HTTP: such a page lacks some of what browsers offer. Returns its origin. */
async function serveShop(): Promise<string> {
  const server = createServer(async ({ url = '/' }, response) => {
    const isScript = url.endsWith('.js')
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? await readFile(`clients/typescript/dist${url}`) : PAGE)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://shop.test:${(server.address() as AddressInfo).port}`
}

/** Runs in the page. */
async function work({ url, key }: { url: string; key: string }) {
  const { Client } = globalThis as unknown as { Client: typeof Milepost }
  const job = await new Client({ url, key }).createJob({ jobType: 'import', totalItems: 2 })
  const states: string[] = []
  const watched = (async () => {
    for await (const { status } of job.watch()) states.push(status)
  })()
  job.started()
  job.add(2)
  const { status, processedItems } = await job.complete()
  await watched
  return { status, processedItems, last: states.at(-1) }
}

test.skipIf(!hasBrowser)(
  'the client reports and watches from a page of ALLOWED_ORIGINS',
  async () => {
    const shop = await serveShop()
    const edge = await startEdge({ bindings: { ALLOWED_ORIGINS: shop } })
    onTestFinished(() => edge.dispose())
    const { key } = await aCaller(edge)
    const browser = await openBrowser(['--host-resolver-rules=MAP shop.test 127.0.0.1'])
    onTestFinished(() => browser.close())
    await using tab = await openPage(browser, shop)
    expect(await tab.page.evaluate('isSecureContext')).toBe(false)
    expect(await tab.page.evaluate(work, { url: edge.url, key })).toEqual({
      status: 'completed',
      processedItems: 2,
      last: 'completed',
    })
  },
  20_000,
)
