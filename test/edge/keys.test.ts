import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { readKeysCommand, UsageError } from '../../scripts/keys-command.ts'
import { PROJECT } from '../../scripts/local-database.ts'
import { call, freshOrganization, startEdge } from './harness.ts'

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

async function revokedAt(keyId: string): Promise<number | null | undefined> {
  const d1 = await edge.d1()
  return await d1.prepare('SELECT revoked_at FROM api_keys WHERE key_id = ?').bind(keyId).first('revoked_at')
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
  expect(listed.stdout).toMatch(new RegExp(`^${keyId}  importer  job:create job:read .*does not expire`))
  expect(listed.stdout).not.toContain(key)

  expect(await keys('revoke', ...local(freshOrganization()), '--id', keyId)).toMatchObject({ code: 1 })
  expect(await revokedAt(keyId)).toBeNull()
  expect(await keys('revoke', ...local(org), '--id', keyId)).toMatchObject({ code: 0 })
  expect(await revokedAt(keyId)).toBeTypeOf('number')
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
  ['an organisation that no header can name', ['list', '--local', '--org', 'a b']],
  [
    'an expiry that is no number of days',
    ['issue', '--local', '--org', 'a', '--name', 'x', ...permitted, '--expires-in-days', '0'],
  ],
])('not understood: %s', (_, args) => {
  expect(() => readKeysCommand(args)).toThrow(UsageError)
})
