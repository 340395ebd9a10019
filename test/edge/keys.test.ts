import { execFile } from 'node:child_process'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { readKeysCommand, UsageError } from '../../scripts/keys-command.ts'
import { PROJECT } from '../../scripts/local-database.ts'
import { noteUse } from '../../src/store/api-keys.ts'
import { apiKeys } from '../../src/store/schema.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'

// Each command is a process that starts a runtime of its own.
vi.setConfig({ testTimeout: 120_000 })

let edge: Edge
let persistTo: string

beforeAll(async () => {
  edge = await startEdge()
  persistTo = (await edge.d1File()).replace(/\/v3\/d1\/.*/, '')
})
afterAll(() => edge.dispose())

/** Runs `npm run keys -- …args`. */
function keys(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/keys.ts', ...args], { cwd: PROJECT }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

/** A time that is stored with a key; null where it is not set. */
async function field(
  keyId: string,
  name: 'revoked_at' | 'expires_at' | 'last_used_at',
): Promise<number | null> {
  const d1 = await edge.d1()
  return await d1.prepare(`SELECT ${name} FROM api_keys WHERE key_id = ?`).bind(keyId).first(name)
}

const local = (org: string) => ['--local', '--persist-to', persistTo, '--org', org]
const permitted = ['--permission', 'job:create', '--permission', 'job:read']

test('a key issued while the edge runs works at once, is listed without its secret, and can be revoked', async () => {
  const org = freshOrganization()
  const issued = await keys('issue', ...local(org), '--name', 'importer', ...permitted)
  expect(issued).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mp_[\w-]{43}\n$/) })
  const key = issued.stdout.trim()
  expect((await call(edge, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 1 })).status).toBe(
    200,
  )

  const keyId = /key_\w+/.exec(issued.stderr)?.[0] ?? ''
  const listed = await keys('list', ...local(org))
  expect(listed.stdout).toMatch(
    new RegExp(`^${keyId}  importer  job:create job:read  ${org}  .*does not expire`),
  )
  expect(listed.stdout).not.toContain(key)

  expect(await keys('revoke', ...local(freshOrganization()), '--id', keyId)).toMatchObject({ code: 1 })
  expect(await field(keyId, 'revoked_at')).toBeNull()
  expect(await keys('revoke', ...local(org), '--id', keyId)).toMatchObject({ code: 0 })
  expect(await field(keyId, 'revoked_at')).toBeTypeOf('number')
})

test('a key for several organizations works in each of them, by X-Organization-ID', async () => {
  const [org, other] = [freshOrganization(), freshOrganization()]
  const issued = await keys('issue', ...local(org), '--org', other, '--name', 'importer', ...permitted)
  const create = (headers: Record<string, string>) =>
    call(edge, issued.stdout.trim(), 'POST', '/api/jobs/', { job_type: 'import', total_items: 1 }, headers)
  expect((await create({})).status).toBe(400)
  for (const id of [org, other]) {
    expect((await create({ 'X-Organization-ID': id })).status).toBe(200)
  }
  expect((await keys('list', ...local(other))).stdout).toContain(`${org} ${other}`)
})

test('the use of a key is noted, to the hour, and listed', async () => {
  const org = freshOrganization()
  const { key, keyId } = await issueKey(edge, { org })
  expect((await keys('list', ...local(org))).stdout).toContain('never used')
  const before = Date.now()
  expect((await call(edge, key, 'GET', '/api/jobs/')).status).toBe(200)
  await expect.poll(() => field(keyId, 'last_used_at')).toBeGreaterThanOrEqual(before)
  expect((await keys('list', ...local(org))).stdout).toMatch(/ used \d{4}-\d\d-\d\dT\d\d:\d\dZ /)

  // Whoever looks it up within the hour writes nothing; an hour later, they do.
  const store = drizzle(await edge.d1())
  const [used] = await store.select().from(apiKeys).where(eq(apiKeys.keyId, keyId))
  if (!used?.lastUsedAt) throw new Error('There is no such key')
  const HOUR = 3_600_000
  await noteUse(store, used, used.lastUsedAt + HOUR - 1)
  expect(await field(keyId, 'last_used_at')).toBe(used.lastUsedAt)
  // Of two at the same time, one.
  await noteUse(store, used, used.lastUsedAt + HOUR)
  await noteUse(store, used, used.lastUsedAt + HOUR + 1)
  expect(await field(keyId, 'last_used_at')).toBe(used.lastUsedAt + HOUR)
})

test('rotating a key makes another with the same rights, and ends the old one after the grace', async () => {
  const [org, other] = [freshOrganization(), freshOrganization()]
  const old = await issueKey(edge, { org: [org, other], permissions: ['job:read'] })
  const rotate = (...args: string[]) => keys('rotate', ...local(org), '--id', old.keyId, ...args)
  const before = Date.now()
  const rotated = await rotate('--grace-hours', '2')
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mp_[\w-]{43}\n$/) })
  const end = await field(old.keyId, 'expires_at')
  expect(end).toBeGreaterThanOrEqual(before + 7_200_000)
  expect(end).toBeLessThanOrEqual(Date.now() + 7_200_000)

  const twin = rotated.stdout.trim()
  for (const key of [old.key, twin]) {
    for (const id of [org, other]) {
      const headers = { 'X-Organization-ID': id }
      expect((await call(edge, key, 'GET', '/api/jobs/', undefined, headers)).status).toBe(200)
      expect((await call(edge, key, 'POST', '/api/jobs/', {}, headers)).status).toBe(403)
    }
  }
  const twinId = /key_\w+/.exec(rotated.stderr)?.[0] ?? ''
  expect(await field(twinId, 'expires_at')).toBeNull()

  // A second time, with a longer grace, it ends no later.
  expect((await rotate('--grace-hours', '48', '--expires-in-days', '1')).code).toBe(0)
  expect(await field(old.keyId, 'expires_at')).toBe(end)
  expect((await rotate('--grace-hours', '0')).code).toBe(0)
  expect(await field(old.keyId, 'expires_at')).toBeLessThanOrEqual(Date.now())
  expect(await rotate()).toMatchObject({ code: 1, stdout: '' })
  // Nor can another organization rotate it.
  expect(await keys('rotate', ...local(freshOrganization()), '--id', twinId)).toMatchObject({
    code: 1,
    stdout: '',
  })
})

test('a key that was to expire has a twin that expires no later', async () => {
  const org = freshOrganization()
  const expiresAt = Date.now() + 60_000
  const { keyId } = await issueKey(edge, { org, expiresAt })
  const { stderr } = await keys('rotate', ...local(org), '--id', keyId)
  expect(await field(/key_\w+/.exec(stderr)?.[0] ?? '', 'expires_at')).toBe(expiresAt)
  expect(await field(keyId, 'expires_at')).toBe(expiresAt)
})

test('what is not understood ends with 2, the usage, and nothing on stdout', async () => {
  expect(await keys('issue', '--org', 'acme')).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('Usage:'),
  })
})

test.each([
  ['neither --local nor --remote', ['issue', '--org', 'acme', '--name', 'x', ...permitted]],
  ['both', ['list', '--local', '--remote', '--org', 'acme']],
  ['an unknown flag', ['list', '--local', '--org', 'acme', '--all']],
  ['an unknown verb', ['delete', '--local', '--org', 'acme']],
  [
    'a permission that there is not',
    ['issue', '--local', '--org', 'a', '--name', 'x', '--permission', 'job:*'],
  ],
  ['no permission', ['issue', '--local', '--org', 'acme', '--name', 'x']],
  ['an organization that no header can name', ['list', '--local', '--org', 'a b']],
  ['several organizations to list', ['list', '--local', '--org', 'acme', '--org', 'zenith']],
  [
    'a grace that is no number of hours',
    ['rotate', '--local', '--org', 'a', '--id', 'k', '--grace-hours', '-1'],
  ],
  ['a rotation of no key', ['rotate', '--local', '--org', 'acme']],
  [
    'an expiry that is no number of days',
    ['issue', '--local', '--org', 'a', '--name', 'x', ...permitted, '--expires-in-days', '0'],
  ],
])('not understood: %s', (_, args) => {
  expect(() => readKeysCommand(args)).toThrow(UsageError)
})
