import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { hasBrowser, openBrowser, openPage, see, signIn } from './open-browser.ts'
import { productError, startWorker } from './start-worker.ts'

const FILES = join(import.meta.dirname, '../../src/dashboard')

describe('the page itself', () => {
  let edge: Edge
  beforeAll(async () => {
    edge = await startEdge()
  })
  afterAll(() => edge?.dispose())

  test('every file has the right content type and a policy that allows nothing inline', async () => {
    const files = (await readdir(FILES)).filter((name) => !name.endsWith('.d.ts'))
    const paths = files.map((name) => (name === 'index.html' ? '/' : `/dashboard/${name}`))
    const types = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }
    for (const path of paths) {
      const { status, headers } = await fetch(`${edge.url}${path}`)
      expect([path, status]).toEqual([path, 200])
      const extension = path === '/' ? 'html' : path.slice(path.lastIndexOf('.') + 1)
      expect(headers.get('Content-Type')).toContain(types[extension as keyof typeof types])
      const policy = headers.get('Content-Security-Policy')
      expect(policy).toMatch(/^default-src 'none';.*script-src 'self';.*frame-ancestors 'none'/)
      expect(policy).not.toContain('unsafe')
      const cached = await fetch(`${edge.url}${path}`, {
        headers: { 'If-None-Match': headers.get('ETag') ?? '' },
      })
      expect([path, cached.status]).toEqual([path, 304])
      expect(cached.headers.get('Content-Security-Policy')).toBe(policy)
    }
  })

  test('unknown files are 404, and methods other than GET are 405', async () => {
    for (const name of ['nothing.js', 'constructor', 'wire.d.ts', '..%2findex.html']) {
      expect((await fetch(`${edge.url}/dashboard/${name}`)).status).toBe(404)
    }
    expect((await fetch(edge.url, { method: 'POST' })).status).toBe(405)
  })
})

describe.skipIf(!hasBrowser)('signing in and staying signed in', () => {
  let edge: Edge
  let browser: Browser
  beforeAll(async () => {
    ;[edge, browser] = await Promise.all([startEdge(), openBrowser()])
  })
  afterAll(async () => {
    await browser?.close()
    await edge?.dispose()
  })

  test('an unknown key is refused with a message, and signing out forgets a valid one', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    for (const wrong of ['mp_nothing', 'schlüssel', `${key}x`]) {
      await page.getByLabel('API key').fill(wrong)
      await page.keyboard.press('Enter')
      await see(() => page.getByRole('alert').innerText(), expect.stringContaining('No such key'))
      await page.getByLabel('API key').fill('')
    }
    await signIn(page, key)
    expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0)
    await page.reload()
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('API key').waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
  })

  test('the page says that a key may not read jobs, and asks for the organization of a key that has several', async () => {
    const { key: blind } = await issueKey(edge, { org: freshOrganization(), permissions: ['job:create'] })
    const [one, another] = [freshOrganization(), freshOrganization()]
    const { key } = await issueKey(edge, { org: [one, another] })
    const { key: worker } = await issueKey(edge, { org: another })
    await startWorker(edge, worker, { job_type: 'of-the-other' })
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    await page.getByLabel('API key').fill(blind)
    await page.keyboard.press('Enter')
    await see(() => page.getByRole('alert').innerText(), expect.stringContaining('may not read jobs'))
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
    await page.getByLabel('Organization ID').fill(another)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'of-the-other' }).waitFor()
  })

  test('when the key expires, the page asks for another one', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization(), expiresAt: Date.now() + 8_000 })
    await using tab = await openPage(browser, edge.url)
    await signIn(tab.page, key)
    await tab.page.getByText('Your key is no longer valid.').waitFor()
    expect(await tab.page.getByLabel('API key').isVisible()).toBe(true)
  })

  test('during an outage the page says so and keeps its content, and then it resumes by itself', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    const worker = await startWorker(edge, key)
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    await signIn(page, key)
    const row = page.getByRole('row', { name: 'product-import' })
    await row.waitFor()
    const notice = page.locator('.notice')
    for (const [status, words] of [
      [503, 'not available'],
      [429, 'Too many requests'],
    ] as const) {
      await page.route('**/api/jobs/?*', (route) =>
        route.fulfill({ status, headers: { 'Retry-After': '1' } }),
      )
      await see(() => notice.innerText(), expect.stringContaining(words))
      expect(await row.isVisible()).toBe(true)
      await page.unroute('**/api/jobs/?*')
      await see(() => notice.isVisible(), false)
    }
    await page.context().setOffline(true)
    await see(() => notice.innerText(), expect.stringContaining('offline'))
    await page.context().setOffline(false)
    await see(() => notice.isVisible(), false)

    await row.getByRole('link').click()
    await worker.report({ mark_started: true, processed_items: 20 })
    await see(() => page.locator('.big-share').innerText(), expect.stringMatching(/^10/))
  })

  test('everything works by keyboard, and the focus is never lost', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    await startWorker(edge, key, { job_type: 'older' })
    await startWorker(edge, key, { job_type: 'newer' })
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    const focused = () => page.evaluate('document.activeElement.innerText')
    await see(() => page.evaluate('document.activeElement.id'), 'key')
    await page.keyboard.type(key)
    await page.keyboard.press('Enter')
    const link = page.getByRole('link', { name: 'older' })
    await link.waitFor()
    await link.focus()
    await startWorker(edge, key, { job_type: 'newest' })
    await page.getByRole('link', { name: 'newest' }).waitFor()
    expect(await focused()).toBe('older')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Cancel job' }).waitFor()
    await see(focused, 'older')
    await page.keyboard.press('Tab')
    await see(focused, 'Cancel job')
    await page.keyboard.press('Enter')
    await see(focused, 'Keep it running')
    await page.keyboard.press('Escape')
    await see(focused, 'Cancel job')
    await page.goBack()
    await see(focused, 'older')
  })

  test('on a phone nothing overflows the screen, however long the names are', async () => {
    const { key } = await issueKey(edge, { org: freshOrganization() })
    const long = 'a-name-without-an-end-'.repeat(12)
    const worker = await startWorker(edge, key, { job_type: long, triggered_by: long })
    await worker.report({
      mark_started: true,
      stage: long,
      message: long,
      metadata_patch: { [long]: { [long]: long } },
      errors: [{ ...productError(long, long, long), details: { [long]: long } }],
    })
    await using tab = await openPage(browser, edge.url, { viewport: { width: 360, height: 640 } })
    const { page } = tab
    const overflow = () => page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
    expect(await overflow()).toBe(0)
    await signIn(page, key)
    await page.getByText('Filters', { exact: true }).click()
    await page.getByRole('link', { name: long }).waitFor()
    expect(await overflow()).toBe(0)
    await page.getByRole('link', { name: long }).click()
    await page.locator('.group > summary').click()
    await page.locator('.entry-details > summary').click()
    expect(await overflow()).toBe(0)
    await page.getByRole('button', { name: 'Cancel job' }).click()
    expect(await overflow()).toBe(0)
  })
})
