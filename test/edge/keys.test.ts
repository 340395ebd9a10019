import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type Edge, openEdge } from '../../scripts/edge.ts'
import { readKeysCommand } from '../../scripts/keys-command.ts'
import { UsageError } from '../../scripts/operator-command.ts'
import { noteUse, rotateApiKey } from '../../src/store/api-keys.ts'
import { apiKeys } from '../../src/store/schema.ts'
import { aCaller, NEW_JOB } from './fixtures.ts'
import { call, freshOrganization, issueKey, startEdge } from './harness.ts'
import { runKeys } from './keys-process.ts'

// Each command is a process.
vi.setConfig({ testTimeout: 120_000 })

let edge: Edge
let persistTo: string

beforeAll(async () => {
  edge = await startEdge()
  persistTo = edge.d1File().replace(/\/v3\/d1\/.*/, '')
})
afterAll(() => edge.dispose())

/** A time stored with a key; null if it is not set. */
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
  const issued = await runKeys('issue', ...local(org), '--name', 'importer', ...permitted)
  expect(issued).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mp_[\w-]{43}\n$/) })
  const key = issued.stdout.trim()
  expect((await call(edge, key, 'POST', '/api/jobs/', NEW_JOB)).status).toBe(200)

  const keyId = /key_\w+/.exec(issued.stderr)?.[0] ?? ''
  const listed = await runKeys('list', ...local(org))
  expect(listed.stdout).toMatch(
    new RegExp(`^${keyId}  importer  job:create job:read  ${org}  .*does not expire`),
  )
  expect(listed.stdout).not.toContain(key)

  expect(await runKeys('revoke', ...local(freshOrganization()), '--id', keyId)).toMatchObject({ code: 1 })
  expect(await field(keyId, 'revoked_at')).toBeNull()
  expect(await runKeys('revoke', ...local(org), '--id', keyId)).toMatchObject({ code: 0 })
  expect(await field(keyId, 'revoked_at')).toBeTypeOf('number')
})

test('a key for several organizations works in the one that X-Organization-ID names', async () => {
  const [org, other] = [freshOrganization(), freshOrganization()]
  const issued = await runKeys('issue', ...local(org), '--org', other, '--name', 'importer', ...permitted)
  const create = (headers: Record<string, string>) =>
    call(edge, issued.stdout.trim(), 'POST', '/api/jobs/', NEW_JOB, headers)
  expect((await create({})).status).toBe(400)
  for (const id of [org, other]) {
    expect((await create({ 'X-Organization-ID': id })).status).toBe(200)
  }
  expect((await runKeys('list', ...local(other))).stdout).toContain(`${org} ${other}`)
})

test('the last use of a key is recorded to the hour, and listed', async () => {
  const { org, keyId, get } = await aCaller(edge)
  expect((await runKeys('list', ...local(org))).stdout).toContain('never used')
  const before = Date.now()
  expect((await get('/api/jobs/')).status).toBe(200)
  await expect.poll(() => field(keyId, 'last_used_at')).toBeGreaterThanOrEqual(before)
  expect((await runKeys('list', ...local(org))).stdout).toMatch(/ used \d{4}-\d\d-\d\dT\d\d:\d\dZ /)

  // A look-up within the hour writes nothing; an hour later, it does.
  const store = drizzle(await edge.d1())
  const [used] = await store.select().from(apiKeys).where(eq(apiKeys.keyId, keyId))
  if (!used?.lastUsedAt) throw new Error('There is no such key')
  const HOUR = 3_600_000
  await noteUse(store, used, used.lastUsedAt + HOUR - 1)
  expect(await field(keyId, 'last_used_at')).toBe(used.lastUsedAt)
  // Of two look-ups at the same time, one writes.
  await noteUse(store, used, used.lastUsedAt + HOUR)
  await noteUse(store, used, used.lastUsedAt + HOUR + 1)
  expect(await field(keyId, 'last_used_at')).toBe(used.lastUsedAt + HOUR)
})

test('rotating a key makes another with the same rights, and ends the old one after the grace period', async () => {
  const [org, other] = [freshOrganization(), freshOrganization()]
  const old = await issueKey(edge, { org: [org, other], permissions: ['job:read'] })
  const rotate = (...args: string[]) => runKeys('rotate', ...local(org), '--id', old.keyId, ...args)
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

  // Another organization cannot rotate it.
  expect(await runKeys('rotate', ...local(freshOrganization()), '--id', twinId)).toMatchObject({
    code: 1,
    stdout: '',
  })
})

test('a key is rotated once: it then ends as announced, and only its twin can be rotated', async () => {
  const org = freshOrganization()
  const old = await issueKey(edge, { org })
  const rotate = (keyId: string, ...args: string[]) =>
    runKeys('rotate', ...local(org), '--id', keyId, ...args)
  // Even by two operators at the same time.
  const both = await Promise.all([rotate(old.keyId), rotate(old.keyId)])
  const done = both.find(({ code }) => code === 0)
  const refused = both.find(({ code }) => code !== 0)
  expect(done?.stdout).toMatch(/^mp_/)
  expect(refused).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^key_\S+ was already rotated and ends \S+: .*\n$/),
  })
  const end = await field(old.keyId, 'expires_at')
  expect(await rotate(old.keyId, '--grace-hours', '0', '--expires-in-days', '1')).toMatchObject({
    code: 1,
    stdout: '',
  })
  expect(await field(old.keyId, 'expires_at')).toBe(end)

  const twinId = /key_\w+/.exec(done?.stderr ?? '')?.[0] ?? ''
  const next = await rotate(twinId, '--grace-hours', '0')
  expect(next).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mp_/) })
  // The newest of the three does not expire, because the first did not.
  expect(await field(/key_\w+/.exec(next.stderr)?.[0] ?? '', 'expires_at')).toBeNull()
  const listed = (await runKeys('list', ...local(org))).stdout.trim().split('\n')
  expect(listed.map((line) => /(rotated, )?(does not expire|expires|expired)/.exec(line)?.[0])).toEqual(
    expect.arrayContaining(['does not expire', 'rotated, expires', 'rotated, expired']),
  )
})

test('a rotation is atomic: if the old key cannot be ended, there is no new one', async () => {
  const org = freshOrganization()
  const old = await issueKey(edge, { org })
  const d1 = await edge.d1()
  await d1
    .prepare(
      `CREATE TRIGGER no_end BEFORE UPDATE ON api_keys WHEN old.key_id = '${old.keyId}'
      BEGIN SELECT raise(ABORT, 'not now'); END`,
    )
    .run()
  const keysOf = async () => (await runKeys('list', ...local(org))).stdout.match(/^key_\S+/gm)
  try {
    expect(await runKeys('rotate', ...local(org), '--id', old.keyId)).toMatchObject({ code: 1, stdout: '' })
    // The same in D1 itself.
    const twin = { keyHash: 'a hash', keyId: 'key_twin', expiresAt: null }
    await expect(
      rotateApiKey(drizzle(d1), org, old.keyId, twin, Date.now(), Date.now() + 1),
    ).rejects.toThrow()
    expect(await keysOf()).toEqual([old.keyId])
  } finally {
    await d1.prepare('DROP TRIGGER no_end').run()
  }
  expect(await runKeys('rotate', ...local(org), '--id', old.keyId)).toMatchObject({ code: 0 })
  expect(await keysOf()).toHaveLength(2)
})

test('every command works beside an edge under load', { timeout: 300_000 }, async () => {
  const org = freshOrganization()
  const caller = await aCaller(edge, { org })
  let reports = 0
  let isOver = false
  const report = async () => {
    const { body } = await caller.post('/api/jobs/', NEW_JOB)
    while (!isOver) {
      const warning = { entity_key: `${reports++}`, error_type: 'odd', message: 'm' }
      const reply = await caller.post(`/api/jobs/${body.job_id}/progress`, { warning })
      expect(reply.status).toBe(200)
    }
  }
  const running = Promise.all(Array.from({ length: 4 }, report))
  try {
    const issued: string[] = []
    for (let round = 0; round < 3; round++) {
      const before = reports
      const { code, stdout, stderr } = await runKeys('issue', ...local(org), '--name', 'x', ...permitted)
      expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mp_/) })
      const keyId = /key_\w+/.exec(stderr)?.[0] ?? ''
      issued.push(keyId)
      for (const verb of ['rotate', 'revoke'])
        expect(await runKeys(verb, ...local(org), '--id', keyId)).toMatchObject({ code: 0 })
      expect(reports).toBeGreaterThan(before)
    }
    // The reporting key, and each issued key with its twin.
    const listed = (await runKeys('list', ...local(org))).stdout.trim().split('\n')
    expect(listed).toHaveLength(1 + 2 * issued.length)
    expect(listed.filter((line) => line.includes('revoked'))).toHaveLength(issued.length)
  } finally {
    isOver = true
    await running
  }
})

test('if the database stays locked, a command gives up with one sentence and changes nothing', async () => {
  const org = freshOrganization()
  const holder = new DatabaseSync(edge.d1File(), { timeout: 5_000 })
  holder.exec('BEGIN IMMEDIATE')
  try {
    expect(await runKeys('issue', ...local(org), '--name', 'x', ...permitted)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Another process has locked the database in ${persistTo}: nothing was changed, try again later.\n`,
    })
    // Listing takes no lock.
    expect(await runKeys('list', ...local(org))).toEqual({
      code: 0,
      stdout: '',
      stderr: `${org} has no keys\n`,
    })
  } finally {
    holder.exec('ROLLBACK')
    holder.close()
  }
  expect((await runKeys('list', ...local(org))).stderr).toBe(`${org} has no keys\n`)
})

test('without a state, nothing is listed, rotated or revoked, and no state is made', async () => {
  const nowhere = join(persistTo, 'tpyo')
  const at = ['--local', '--persist-to', nowhere, '--org', 'acme']
  for (const args of [
    ['list'],
    ['webhook-secret'],
    ['revoke', '--id', 'key_1'],
    ['rotate', '--id', 'key_1'],
  ]) {
    expect(await runKeys(...args, ...at)).toEqual({
      code: 1,
      stdout: '',
      stderr: `There is no state in ${nowhere}: no edge has run there and no key was issued.\n`,
    })
  }
  expect(existsSync(nowhere)).toBe(false)
})

test('a key issued before the first start works after it', async () => {
  const state = join(persistTo, 'other')
  const issued = await runKeys(
    ...['issue', '--local', '--persist-to', state, '--org', 'acme', '--name', 'x', ...permitted],
  )
  expect(issued).toMatchObject({ code: 0, stderr: expect.stringContaining(`There was no state in ${state}`) })
  const other = await openEdge({ persistTo: state, quiet: true })
  onTestFinished(() => other.dispose())
  expect((await call(other, issued.stdout.trim(), 'GET', '/api/jobs/')).status).toBe(200)
  // Both used one database, not two.
  expect(
    readdirSync(dirname(other.d1File()))
      .filter((name) => name.endsWith('.sqlite'))
      .sort(),
  ).toEqual([basename(other.d1File()), 'metadata.sqlite'].sort())
})

test('the twin of an expiring key expires at the same time', async () => {
  const org = freshOrganization()
  const expiresAt = Date.now() + 60_000
  const { keyId } = await issueKey(edge, { org, expiresAt })
  const { stderr } = await runKeys('rotate', ...local(org), '--id', keyId)
  expect(await field(/key_\w+/.exec(stderr)?.[0] ?? '', 'expires_at')).toBe(expiresAt)
  expect(await field(keyId, 'expires_at')).toBe(expiresAt)
})

test('an invalid command exits with 2, the usage on stderr, and nothing on stdout', async () => {
  expect(await runKeys('issue', '--org', 'acme')).toEqual({
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
  ['an unknown permission', ['issue', '--local', '--org', 'a', '--name', 'x', '--permission', 'job:*']],
  ['no permission', ['issue', '--local', '--org', 'acme', '--name', 'x']],
  ['an organization that a header cannot name', ['list', '--local', '--org', 'a b']],
  ['several organizations to list', ['list', '--local', '--org', 'acme', '--org', 'zenith']],
  [
    'a grace period that is not a number of hours',
    ['rotate', '--local', '--org', 'a', '--id', 'k', '--grace-hours', '-1'],
  ],
  ['a rotation without a key', ['rotate', '--local', '--org', 'acme']],
  [
    'an expiry that is not a number of days',
    ['issue', '--local', '--org', 'a', '--name', 'x', ...permitted, '--expires-in-days', '0'],
  ],
])('an invalid command: %s', (_, args) => {
  expect(() => readKeysCommand(args)).toThrow(UsageError)
})
