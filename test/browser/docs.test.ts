import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { endpoints } from '../../src/endpoints/all.ts'
import { freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { hasBrowser, openBrowser, openPage, see } from './open-browser.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge()
})
afterAll(() => edge?.dispose())

const get = (path: string, init: RequestInit = {}) => fetch(`${edge.url}${path}`, init)

describe('the documents over HTTP', () => {
  test('anyone may read them, and a browser that has one gets 304', async () => {
    const types = {
      '/docs': 'text/html',
      '/docs/': 'text/html',
      '/docs/api': 'text/html',
      '/docs/decisions': 'text/html',
      '/docs/api.md': 'text/markdown',
      '/llms.txt': 'text/plain',
      '/llms-full.txt': 'text/plain',
    }
    for (const [path, type] of Object.entries(types)) {
      const { status, headers } = await get(path)
      expect([path, status, headers.get('Content-Type')]).toEqual([path, 200, `${type}; charset=utf-8`])
      const again = await get(path, { headers: { 'If-None-Match': headers.get('ETag') ?? '' } })
      expect([path, again.status]).toEqual([path, 304])
      for (const name of ['Content-Security-Policy', 'Cache-Control'])
        expect(again.headers.get(name)).toBe(headers.get(name))
      const head = await get(path, { method: 'HEAD' })
      expect([head.status, await head.text()]).toEqual([200, ''])
    }
  })

  test('a file whose name changes with its content is kept forever', async () => {
    const urls = [...(await (await get('/docs')).text()).matchAll(/"(\/docs\/assets\/[^"]+)"/g)]
    expect(urls.length).toBeGreaterThan(3)
    for (const [, url = ''] of urls) {
      const { status, headers } = await get(url)
      expect([url, status]).toEqual([url, 200])
      expect(headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable')
    }
  })

  test('scripts may come from the API itself, on the reference only', async () => {
    const policy = async (path: string) => (await get(path)).headers.get('Content-Security-Policy')
    expect(await policy('/docs')).toMatch(/^default-src 'none'; script-src 'self';.* connect-src 'self';/)
    expect(await policy('/docs')).not.toContain('unsafe-eval')
    expect(await policy('/docs/api')).not.toMatch(/script|connect|unsafe/)
  })

  test('an unknown page is 404, and a method other than GET is 405', async () => {
    const unknown = ['/docs/nothing', '/docs/assets', '/docs/..%2fllms.txt', `/docs/${'x'.repeat(500)}`]
    for (const path of [
      ...unknown,
      '/docs/api/x',
      '/docs.html',
      '/docs/%00',
      '/docs/.hidden',
      '/docs//api',
    ]) {
      const reply = await get(path)
      expect([path, reply.status, await reply.json()]).toEqual([path, 404, { detail: 'Not Found' }])
    }
    expect((await get('/docs', { method: 'POST' })).status).toBe(405)
  })
})

describe.skipIf(!hasBrowser)('the reference in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test('shows every operation, tries one with a key, and asks nobody but the API', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    await using tab = await openPage(browser, 'about:blank')
    const { page } = tab
    const foreign: string[] = []
    page.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== edge.url)
        foreign.push(request.url())
    })
    await page.goto(`${edge.url}/docs`)
    // Scalar renders what is below the screen later; its navigation has everything at once.
    for (const { summary } of endpoints) await page.getByRole('link', { name: summary }).first().waitFor()
    await page.getByPlaceholder('Token').first().fill(key)
    await page.getByRole('button', { name: /^Test Request.*post \/api\/jobs\/\)/i }).click()
    const [reply] = await Promise.all([
      page.waitForResponse(`${edge.url}/api/jobs/`),
      page.getByRole('button', { name: 'Send post request' }).click(),
    ])
    expect(reply.status()).toBe(200)
    await page.getByText('"pending"').first().waitFor()
    expect(foreign).toEqual([])
    expect(await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')).not.toContain(
      key,
    )
  })

  test('the documents link to each other and work without scripts', async () => {
    await using tab = await openPage(browser, `${edge.url}/docs/api`, {
      javaScriptEnabled: false,
    })
    const { page } = tab
    await page.getByRole('link', { name: 'Security' }).first().click()
    await page.getByRole('heading', { level: 1, name: 'Security' }).waitFor()
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'The API' }).click()
    await see(() => page.title(), 'The API · Milepost')
  })

  test('no document overflows a phone', async () => {
    await using tab = await openPage(browser, `${edge.url}/docs/api`, {
      viewport: { width: 360, height: 640 },
    })
    const { page } = tab
    const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').all()
    const paths = await Promise.all(links.map((link) => link.getAttribute('href')))
    for (const path of paths.filter((path) => path !== '/docs')) {
      await page.goto(`${edge.url}${path}`)
      expect([path, await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')]).toEqual(
        [path, 0],
      )
    }
  })
})
