import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { eq, sql } from 'drizzle-orm'
import type { SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openD1File, openLocalDatabases } from '../../scripts/local-database.ts'
import { openTextStore, openWranglerDatabases } from '../../scripts/wrangler-database.ts'
import { insertApiKey, listApiKeys, rotateApiKey } from '../../src/store/api-keys.ts'
import { moveOrganization } from '../../src/store/move/move-organization.ts'
import { jobEntries, jobs } from '../../src/store/schema.ts'
import { findWebhookSecret, saveWebhookSecret } from '../../src/store/webhook-secrets.ts'
import { aJob } from '../unit/fixtures.ts'
import { freshOrganization } from './harness.ts'

// Each statement starts a wrangler process. Without an account it runs on this machine as it would at Cloudflare.
vi.setConfig({ testTimeout: 300_000 })

let state: string

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'milepost-'))
  ;(await openLocalDatabases(state, { mayCreate: true })).close()
})
afterAll(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }))

const open = async () => (await openWranglerDatabases(['--local', '--persist-to', state])).DB.store

test('no process on the machine has a stored value among its arguments', async () => {
  const org = freshOrganization()
  const secret = "whsec_it's a secret; and -- not $1 or ?"
  const store = await open()
  let isOver = false
  const saving = saveWebhookSecret(store, org, secret, 1).finally(() => {
    isOver = true
  })
  const seen = new Set<string>()
  while (!isOver) {
    for (const line of execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' }).split('\n'))
      seen.add(line)
    await nextTurn()
  }
  await saving
  const ofWrangler = [...seen].filter((line) => line.includes('d1 execute') && line.includes(state))
  expect(ofWrangler).not.toEqual([])
  expect([...seen].filter((line) => line.includes('whsec_') || line.includes(org))).toEqual([])
  expect(await findWebhookSecret(store, org)).toBe(secret)
})

test('a key can be issued, rotated once and listed through wrangler', async () => {
  const org = freshOrganization()
  const store = await open()
  const old = {
    keyHash: 'hash 1',
    keyId: 'key_1',
    organizationIds: [org],
    name: "it's",
    permissions: ['job:read'],
  }
  await insertApiKey(store, { ...old, createdAt: 1, expiresAt: null })
  // As a repeat after a call that arrived but seemed to fail.
  await insertApiKey(store, { ...old, createdAt: 1, expiresAt: null })

  const rotate = (keyId: string) =>
    rotateApiKey(store, org, 'key_1', { keyHash: `hash of ${keyId}`, keyId, expiresAt: null }, 10, 20)
  expect(await rotate('key_2')).toMatchObject({
    ok: true,
    end: 20,
    twin: {
      keyId: 'key_2',
      organizationIds: [org],
      name: "it's",
      permissions: ['job:read'],
      expiresAt: null,
    },
  })
  expect(await rotate('key_3')).toEqual({ ok: false, reason: 'rotated', end: 20 })
  expect(
    (await listApiKeys(store, org)).map(({ keyId, expiresAt, rotatedAt }) => [keyId, expiresAt, rotatedAt]),
  ).toEqual([
    ['key_2', null, null],
    ['key_1', 20, 10],
  ])
})

test('a text that is too long for a statement arrives whole, and leaves nothing behind', async () => {
  const org = freshOrganization()
  const store = await open()
  const secret = `"it's; ü ? ' 😀`.repeat(8_000)
  await saveWebhookSecret(store, org, secret, 1)
  expect(await findWebhookSecret(store, org)).toBe(secret)
  const left = await store.select({ count: sql<number>`count(*)` }).from(sql`long_parameters`)
  expect(left).toEqual([{ count: 0 }])
})

/** A database that is sent the same text as wrangler, without the second that each of its processes takes. */
function openByText(file: string): SqliteRemoteDatabase {
  const database = openD1File(join(state, file))
  return openTextStore(async (statements) =>
    statements.map((statement) => ({ results: database.prepare(statement).all() })),
  )
}

test('an organization moves by the statements that wrangler gets, with jobs too long for one', async () => {
  const organizationId = freshOrganization()
  const stores = { DB: openByText('from.sqlite'), DB_2: openByText('to.sqlite') }
  const metadata = { long: `it's "?" ü 😀`.repeat(4_000) }
  await stores.DB.insert(jobs).values({ organizationId, ...aJob({ metadata, keptErrors: 2 }) })
  const { jobId } = aJob({})
  const entry = { organizationId, jobId, kind: 'error' } as const
  await stores.DB.insert(jobEntries).values([1, 2].map((seq) => ({ ...entry, seq, text: `{"seq":${seq}}` })))
  const rows = async (store: typeof stores.DB) => [
    await store.select().from(jobs).where(eq(jobs.organizationId, organizationId)),
    await store.select().from(jobEntries).where(eq(jobEntries.organizationId, organizationId)),
  ]
  const before = await rows(stores.DB)

  const options = { settleMs: 0, restMs: 0, now: Date.now, sleep: async () => {}, say: () => {} }
  await moveOrganization(stores, organizationId, 'DB_2', options)
  expect(await rows(stores.DB_2)).toEqual(before)
  expect(await rows(stores.DB)).toEqual([[], []])
})

test("a failed statement throws wrangler's message, without the statement's values", async () => {
  const { DB } = await openWranglerDatabases(['--local', '--persist-to', join(state, 'empty')])
  const saving = saveWebhookSecret(DB.store, 'acme', 'whsec_secret', 1)
  const error = await saving.catch((failed) => failed)
  expect(error.cause).toBeInstanceOf(Error)
  expect(error.cause.message).toMatch(/no such table/)
  expect(error.cause.message).not.toContain('whsec_secret')
})
