import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Whether Chromium is installed. Without it this module prints a warning, or throws if REQUIRE_BROWSER is 1. */
export const hasBrowser = existsSync(PATH)

if (!hasBrowser) {
  const missing = `No Chromium at ${PATH}: the dashboard is NOT tested.`
  if (process.env.REQUIRE_BROWSER === '1') throw new Error(missing)
  const line = '!'.repeat(missing.length + 8)
  console.warn(
    `\n${line}\n!!  ${missing}  !!\n${line}\nInstall one (Debian: chromium) or set CHROMIUM_PATH.\n`,
  )
}

export function openBrowser(more: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  })
}

interface OpenPage extends AsyncDisposable {
  page: Page
  /** Uncaught errors, and everything that the content security policy blocked. */
  faults: string[]
}

/** Opens a tab that shares nothing with others. Closing it expects that it had no faults. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(10_000)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    const isRefusal = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isRefusal) faults.push(message.text())
  })
  await page.goto(url)
  return {
    page,
    faults,
    [Symbol.asyncDispose]: async () => {
      await context.close()
      expect(faults).toEqual([])
    },
  }
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
}

/** Waits until the page shows what is expected. Vitest's `expect` does not wait. */
export async function see(read: () => Promise<unknown>, expected: unknown): Promise<void> {
  await expect.poll(read, { timeout: 10_000, interval: 50 }).toEqual(expected)
}
