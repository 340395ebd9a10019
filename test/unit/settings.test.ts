import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { DEFAULTS, readSettings } from '../../src/settings.ts'

const DAY = 24 * 60 * 60 * 1_000
const byDefault = {
  archiveAfter: DAY,
  abandonAfterDays: 30,
  cancelGrace: 30_000,
  retention: 90 * DAY,
  allowLoopback: false,
  recorders: 1,
  maxEntryBytes: 64 * 1024 * 1024,
  maxLiveJobs: 20_000,
  maxBytes: 2 * 1024 * 1024 * 1024,
}

afterEach(() => {
  vi.restoreAllMocks()
})

test('the defaults are those of wrangler.toml', () => {
  const toml = readFileSync(join(import.meta.dirname, '../../wrangler.toml'), 'utf8').replaceAll(
    /(\d)_/g,
    '$1',
  )
  for (const [name, value] of Object.entries(DEFAULTS)) expect(toml).toContain(`\n${name} = ${value}\n`)
})

test('variables mean the same as text, as .dev.vars and the dashboard set them', () => {
  const text = {
    ARCHIVE_AFTER_SECONDS: '60',
    ABANDONED_AFTER_DAYS: '0.5',
    CANCEL_GRACE_SECONDS: '5',
    RETENTION_DAYS: ' 7 ',
    ALLOW_LOOPBACK_CALLBACKS: 'true',
    RECORDERS_PER_DATABASE: '4',
    MAX_ENTRY_BYTES_PER_JOB: '1000',
    MAX_LIVE_JOBS: '5',
    MAX_BYTES_PER_ORGANIZATION: '0',
  }
  const settings = {
    archiveAfter: 60_000,
    abandonAfterDays: 0.5,
    cancelGrace: 5_000,
    retention: 7 * DAY,
    allowLoopback: true,
    recorders: 4,
    maxEntryBytes: 1_000,
    maxLiveJobs: 5,
    maxBytes: 0,
  }
  expect(readSettings(text)).toEqual(settings)
  expect(readSettings({ ABANDONED_AFTER_DAYS: '0', RETENTION_DAYS: '0' })).toMatchObject({
    abandonAfterDays: 0,
    retention: 0,
  })
  expect(readSettings({ ALLOW_LOOPBACK_CALLBACKS: 'false' }).allowLoopback).toBe(false)
  expect(readSettings({ ALLOW_LOOPBACK_CALLBACKS: true }).allowLoopback).toBe(true)
})

test.each([undefined, '', ' ', 'never', '30 days', '-1', -1, Number.NaN])(
  'the number %j is replaced by the default',
  (value) => {
    const given = value as number
    const variables = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, given]))
    expect(readSettings({ ...variables, ALLOW_LOOPBACK_CALLBACKS: 'yes' })).toEqual(byDefault)
  },
)

test('numbers are bounded, so that each date they lead to exists', () => {
  const settings = readSettings({
    ARCHIVE_AFTER_SECONDS: 1e300,
    ABANDONED_AFTER_DAYS: 'Infinity',
    CANCEL_GRACE_SECONDS: 1e300,
    RETENTION_DAYS: '1e12',
  })
  const { archiveAfter, abandonAfterDays, cancelGrace, retention } = settings
  for (const ms of [archiveAfter, abandonAfterDays * DAY, cancelGrace, retention])
    expect(new Date(Date.now() + ms).getUTCFullYear()).toBeGreaterThan(2_100)
})

test('an invalid variable is logged once', async () => {
  vi.resetModules()
  const lines = vi.spyOn(console, 'log').mockImplementation(() => {})
  const fresh = await import('../../src/settings.ts')
  for (let n = 0; n < 3; n++) fresh.readSettings({ ...DEFAULTS, RETENTION_DAYS: 'forever' })
  expect(lines.mock.calls.map(([line]) => JSON.parse(line))).toEqual([
    { event: 'setting_invalid', name: 'RETENTION_DAYS', used: '90' },
  ])
})
