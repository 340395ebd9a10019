import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { FakeStytch } from '../edge/fake-stytch.ts'
import { freshOrganization, issueKey, startEdge } from '../edge/harness.ts'
import { hasBrowser, openBrowser, openPage, see } from './open-browser.ts'
import { startWorker } from './start-worker.ts'

describe.skipIf(!hasBrowser)('a member of the organization with a session cookie', () => {
  let stytch: FakeStytch
  let edge: Edge
  let browser: Browser
  beforeAll(async () => {
    stytch = await FakeStytch.open()
    ;[edge, browser] = await Promise.all([startEdge({ bindings: stytch.bindings }), openBrowser()])
  })
  afterAll(async () => {
    await browser?.close()
    await edge?.dispose()
    await stytch?.close()
  })

  test('needs no key, follows a job live, and may cancel it', async () => {
    const org = freshOrganization()
    const { key } = await issueKey(edge, { org })
    const worker = await startWorker(edge, key, { job_type: 'feed' })
    await using tab = await openPage(browser, edge.url, {
      storageState: { cookies: [sessionCookie(stytch.signIn({ org }))], origins: [] },
    })
    const { page } = tab
    await page.getByRole('link', { name: 'feed' }).click()
    await see(() => page.getByLabel('API key').count(), 0)
    await see(() => page.getByRole('button', { name: 'Sign out' }).isVisible(), false)
    await page.getByRole('button', { name: 'Cancel job' }).waitFor()
    await worker.report({ mark_started: true, processed_items: 100 })
    await see(() => page.getByRole('progressbar').getAttribute('aria-valuenow'), '50')
    await page.getByRole('button', { name: 'Cancel job' }).click()
    await page.getByRole('button', { name: 'Cancel the job' }).click()
    await see(() => page.locator('.status').innerText(), 'Canceled')
  })
})

/** The cookie as the platform's sign-in sets it. */
function sessionCookie(value: string) {
  return {
    name: 'stytch_session',
    value,
    domain: '127.0.0.1',
    path: '/',
    expires: -1,
    httpOnly: true,
    secure: false,
    sameSite: 'Lax' as const,
  }
}
