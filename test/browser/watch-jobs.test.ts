import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { call, freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { hasBrowser, openBrowser, openPage, see, signIn } from './open-browser.ts'
import { productError, startWorker } from './start-worker.ts'

describe.skipIf(!hasBrowser)('watching jobs in a browser', () => {
  let edge: Edge
  let browser: Browser
  beforeAll(async () => {
    ;[edge, browser] = await Promise.all([startEdge(), openBrowser()])
  })
  afterAll(async () => {
    await browser?.close()
    await edge?.dispose()
  })

  async function freshKey() {
    return (await issueKey(edge, { org: freshOrganization() })).key
  }

  test('an operator signs in, watches a job progress, sees its errors, and cancels another', async () => {
    const key = await freshKey()
    const worker = await startWorker(edge, key, { job_type: 'feed', triggered_by: 'night shift' })
    const other = await startWorker(edge, key, { job_type: 'crawl' })
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    await signIn(page, key)
    await page.evaluate('window.notReloaded = true')

    const row = page.getByRole('row', { name: 'feed' })
    await see(() => row.innerText(), expect.stringMatching(/Pending.*0\s%/s))
    await worker.report({ mark_started: true, stage: 'reading', processed_items: 50 })
    await see(() => row.innerText(), expect.stringMatching(/reading.*In progress.*25\s%.*50 of 200/s))
    await worker.report({
      processed_items: 90,
      stage: 'writing',
      errors: [
        ...['a', 'b', 'c'].map((name) => productError(name, 'no_price')),
        productError('d', 'bad_date', '<img src=x onerror="document.title=1"> is no date'),
      ],
    })
    await see(() => row.innerText(), expect.stringMatching(/47\s%.*94 of 200.*4 errors/s))

    await page.getByRole('link', { name: 'feed' }).click()
    await see(() => page.getByRole('heading', { name: 'feed' }).isVisible(), true)
    const share = page.locator('.big-share')
    await see(() => share.innerText(), expect.stringMatching(/^47\.0\s%/))
    await worker.report({ processed_items: 146 })
    await see(() => share.innerText(), expect.stringMatching(/^75\.0\s%/))
    await see(() => page.getByRole('progressbar').getAttribute('aria-valuenow'), '75')

    const stages = page.getByRole('region', { name: 'Stages' }).getByRole('listitem')
    await see(() => stages.count(), 2)
    await see(() => page.locator('[aria-current=step]').innerText(), expect.stringContaining('writing'))

    const groups = page.getByRole('region', { name: 'Errors' }).locator('summary')
    await see(() => groups.allInnerTexts(), ['no_price\n3', 'bad_date\n1'])
    await groups.filter({ hasText: 'bad_date' }).click()
    await see(() => page.getByText('<img src=x onerror="document.title=1"> is no date').isVisible(), true)
    await see(() => page.locator('main img').count(), 0)

    await worker.report({ mark_completed: true, processed_items: 196 })
    await see(() => page.locator('.status').innerText(), 'Partial success')
    await see(() => page.getByRole('button', { name: 'Cancel job' }).isVisible(), false)

    await page.getByRole('link', { name: 'All jobs' }).click()
    await page.getByRole('link', { name: 'crawl' }).click()
    await page.getByRole('button', { name: 'Cancel job' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Keep it running' }).click()
    await see(() => page.locator('.status').innerText(), 'Pending')
    await page.getByRole('button', { name: 'Cancel job' }).click()
    await page.getByLabel('Reason').fill('wrong shop')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click()
    await see(() => page.locator('.status').innerText(), 'Canceled')
    await see(() => page.getByText('Cancelled: wrong shop').isVisible(), true)
    await expect(other.report({ mark_completed: true })).rejects.toThrow()

    expect(await page.evaluate('window.notReloaded')).toBe(true)
  })

  test('entries of one type load in pages, and new ones appear while the job runs', async () => {
    const key = await freshKey()
    const worker = await startWorker(edge, key)
    const errors = Array.from({ length: 45 }, (_, index) => productError(`p-${index}`, 'no_price'))
    await worker.report({ mark_started: true, errors, warning: productError('w', 'odd_title') })
    await using tab = await openPage(browser, `${edge.url}/#/jobs/${worker.jobId}`)
    const { page } = tab
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
    const region = page.getByRole('region', { name: 'Errors' })
    await region.locator('summary', { hasText: 'no_price' }).click()
    const entries = region.getByRole('listitem')
    await see(() => entries.count(), 20)
    await region.getByRole('button', { name: 'Show 20 more of 25' }).click()
    await see(() => entries.count(), 40)
    await region.getByRole('button', { name: 'Show 5 more of 5' }).click()
    await see(() => entries.count(), 45)
    await worker.report({ error: productError('p-45', 'no_price') })
    await region.getByRole('button', { name: 'Show 1 more of 1' }).click()
    await see(() => entries.last().innerText(), expect.stringContaining('p-45'))
    await see(() => entries.count(), 46)
  })

  test('filters narrow the list and are in the address, and the page says when nothing matches', async () => {
    const key = await freshKey()
    const failed = await startWorker(edge, key, { job_type: 'feed' })
    await failed.report({ mark_failed: 'no file' })
    await startWorker(edge, key, { job_type: 'crawl', triggered_by: 'anna' })
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    await signIn(page, key)
    const links = page.locator('tbody a')
    await see(() => links.allInnerTexts(), ['crawl', 'feed'])
    await page.getByLabel('Failed').check()
    await see(() => links.allInnerTexts(), ['feed'])
    await page.reload()
    await see(() => links.allInnerTexts(), ['feed'])
    expect(await page.getByLabel('Failed').isChecked()).toBe(true)
    await page.getByLabel('Triggered by').fill('anna')
    await page.getByRole('heading', { name: 'No matching jobs' }).waitFor()
    await page.getByRole('button', { name: 'Show all jobs' }).click()
    await see(() => links.allInnerTexts(), ['crawl', 'feed'])
    await page.getByLabel('From').fill(new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10))
    await page.getByRole('heading', { name: 'No matching jobs' }).waitFor()
  })

  test('a list too large for one reply is shown in full and can load older jobs', async () => {
    const key = await freshKey()
    // Ten of these jobs fill a reply.
    const report = { stage: 'reading', mark_failed: '\u0001'.repeat(16_384) }
    for (let n = 0; n < 60; n++) await (await startWorker(edge, key)).report(report)
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    const asked: URL[] = []
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (url.pathname === '/api/jobs/') asked.push(url)
    })
    await signIn(page, key)
    const rows = page.locator('tbody tr')
    await page.getByText('The newest 50', { exact: true }).waitFor()
    expect(await rows.count()).toBe(50)
    expect(asked.filter(({ searchParams }) => searchParams.has('cursor')).length).toBeGreaterThanOrEqual(4)
    await page.getByRole('button', { name: 'Show older jobs' }).click()
    await page.getByText('60 jobs', { exact: true }).waitFor()
    expect(await rows.count()).toBe(60)
    await see(() => page.getByRole('button', { name: 'Show older jobs' }).isVisible(), false)
    expect(new Set(asked.map(({ searchParams }) => searchParams.get('metadata')))).toEqual(new Set(['false']))
  })

  test('without any jobs, the page shows how to create one', async () => {
    const key = await freshKey()
    await using tab = await openPage(browser, edge.url)
    await signIn(tab.page, key)
    await tab.page.getByRole('heading', { name: 'No jobs yet' }).waitFor()
    await see(
      () => tab.page.locator('pre').innerText(),
      expect.stringContaining(`curl ${edge.url}/api/jobs/`),
    )
    await startWorker(edge, key, { job_type: 'first' })
    await tab.page.getByRole('link', { name: 'first' }).waitFor()
  })

  test('a broken stream resumes where it stopped', async () => {
    const key = await freshKey()
    const worker = await startWorker(edge, key)
    const { body: job } = await call(edge, key, 'GET', `/api/jobs/${worker.jobId}`)
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    const lastIds: (string | undefined)[] = []
    await page.route('**/events', async (route) => {
      lastIds.push(route.request().headers()['last-event-id'])
      if (lastIds.length > 1) return await route.continue()
      const body = `id: 1\nevent: job\ndata: ${JSON.stringify(job)}\n\nid: 2\nevent: job\ndata: {"cut`
      await route.fulfill({ contentType: 'text/event-stream', body })
    })
    await signIn(page, key)
    await page.getByRole('link', { name: 'product-import' }).click()
    await see(async () => lastIds, [undefined, '1'])
    await worker.report({ mark_started: true, processed_items: 60 })
    await see(() => page.locator('.big-share').innerText(), expect.stringMatching(/^30/))
  })

  test('a finished job shows the deliveries to its callback URL', async () => {
    const key = await freshKey()
    const callback_url = 'https://hooks.example.com/done'
    const worker = await startWorker(edge, key, { callback_url })
    await using tab = await openPage(browser, edge.url)
    const { page } = tab
    await signIn(page, key)
    await page.getByRole('link', { name: 'product-import' }).click()
    await page.getByRole('button', { name: 'Cancel job' }).waitFor()
    const webhook = page.getByRole('region', { name: 'Webhook' })
    await see(() => webhook.count(), 0)
    // The organization has no signing secret, so the page must show that nothing is sent.
    await worker.report({ mark_completed: true })
    await see(() => webhook.innerText(), expect.stringContaining(callback_url))
    await see(() => webhook.innerText(), expect.stringMatching(/no signing secret.*Next attempt at/s))
  })

  test('canceling without the permission is refused with a message', async () => {
    const org = freshOrganization()
    const { key } = await issueKey(edge, { org })
    const { key: readOnly } = await issueKey(edge, { org, permissions: ['job:read'] })
    const { jobId } = await startWorker(edge, key)
    await using tab = await openPage(browser, edge.url)
    await signIn(tab.page, readOnly)
    await tab.page.getByRole('link', { name: 'product-import' }).click()
    await tab.page.getByRole('button', { name: 'Cancel job' }).click()
    await tab.page.getByRole('button', { name: 'Cancel the job' }).click()
    await tab.page.getByText('You may not cancel jobs').waitFor()
    expect((await call(edge, key, 'GET', `/api/jobs/${jobId}`)).body.status).toBe('pending')
  })
})
