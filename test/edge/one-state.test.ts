import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { lockState } from '../../scripts/state-lock.ts'
import { NEW_JOB } from './fixtures.ts'
import { call, freshOrganization, startEdge } from './harness.ts'
import { issueByCommand } from './keys-process.ts'
import { descendantsOf, isAlive, type StartProcess, startProcess } from './start-process.ts'

// Each start is a process that bundles the Worker and starts a runtime.
vi.setConfig({ testTimeout: 120_000 })

const started: StartProcess[] = []

afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGTERM')
    await ended
  }
})

function start(...args: Parameters<typeof startProcess>): StartProcess {
  const process = startProcess(...args)
  started.push(process)
  return process
}

function freshState(): string {
  const folder = mkdtempSync(join(tmpdir(), 'milepost-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** The Workers runtime below a process. */
function runtimeOf({ child }: StartProcess): number {
  const runtime = descendantsOf(child.pid ?? 0).find(({ command }) => command.includes('workerd serve'))
  if (runtime === undefined) throw new Error('It has no runtime')
  return runtime.pid
}

test('a second start on one state names the process that uses it, and exits with 1', async () => {
  const state = freshState()
  const first = start(['--port', '0', '--persist-to', state])
  const url = await first.url()
  const second = start(['--port', '0', '--persist-to', state])
  expect(await second.ended).toBe(1)
  expect(second.said).toEqual({
    stdout: '',
    stderr: `The state in ${state} is in use by process ${first.child.pid} at ${url}: end it, or choose another state with --persist-to.\n`,
  })

  // The first one is unharmed, and the state is free once it has ended.
  expect((await call({ url }, null, 'GET', '/healthz')).status).toBe(200)
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  await start(['--port', '0', '--persist-to', state]).url()
})

test('a killed edge takes its runtime with it, and the next start gets its port, state and jobs', async () => {
  const state = freshState()
  const first = start(['--port', '0', '--persist-to', state])
  const url = await first.url()
  const key = await issueByCommand(state, freshOrganization())
  const { body: job } = await call({ url }, key, 'POST', '/api/jobs/', NEW_JOB)
  const runtime = runtimeOf(first)
  first.child.kill('SIGKILL')

  // At once: the start itself waits until the old runtime is gone.
  const next = start(['--port', new URL(url).port, '--persist-to', state])
  expect(await next.url()).toBe(url)
  expect(isAlive(runtime)).toBe(false)
  expect((await call({ url }, key, 'GET', `/api/jobs/${job.job_id}`)).body).toMatchObject(job)
})

test('an edge started by npm ends with npm, even if npm is killed', async () => {
  const first = start(['--port', '0', '--persist-to', freshState()], ['npm', 'start', '--'])
  await first.url()
  const below = descendantsOf(first.child.pid ?? 0).map(({ pid }) => pid)
  expect(below.length).toBeGreaterThan(1)
  first.child.kill('SIGKILL')
  await vi.waitFor(() => expect(below.filter(isAlive)).toEqual([]), { timeout: 20_000, interval: 50 })
})

test('a killed runtime is restarted, and still ends with its parent', async () => {
  const edge = start(['--port', '0', '--persist-to', freshState()])
  const url = await edge.url()
  const killed = runtimeOf(edge)
  process.kill(killed, 'SIGKILL')
  await vi.waitFor(() => expect(runtimeOf(edge)).not.toBe(killed), { timeout: 20_000, interval: 50 })
  await vi.waitFor(async () => expect((await call({ url }, null, 'GET', '/healthz')).status).toBe(200), {
    timeout: 20_000,
  })
  const runtime = runtimeOf(edge)
  edge.child.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(runtime)).toBe(false), { timeout: 20_000, interval: 50 })
})

test('one process cannot use a state twice', async () => {
  const edge = await startEdge()
  onTestFinished(() => edge.dispose())
  const state = edge.d1File().replace(/\/d1\/.*/, '')
  await expect(lockState(state)).rejects.toThrow(`is in use by process ${process.pid} at ${edge.url}`)
})

test('what a crashed holder left locks nobody out, even if its process ID is in use again', async () => {
  const state = freshState()
  mkdirSync(join(state, 'v3'))
  // As after a reboot: both IDs belong to other processes now.
  writeFileSync(
    join(state, 'v3/edge.json'),
    JSON.stringify({ pid: process.ppid, address: 'http://localhost:8787', watchdogPid: process.pid }),
  )
  writeFileSync(join(state, 'v3/edge.lock'), '')
  const lock = await lockState(join(state, 'v3'))
  await expect(lockState(join(state, 'v3'))).rejects.toThrow(`in use by process ${process.pid}`)
  lock.release()
  ;(await lockState(join(state, 'v3'))).release()
})

test('npm start does not run beside wrangler dev on one state', async () => {
  const state = freshState()
  const key = await issueByCommand(state, freshOrganization())
  const dev = start(['--port', '0', '--persist-to', state], ['npm', 'run', 'dev', '--'])
  await vi.waitFor(() => expect(dev.said.stdout).toMatch(/Ready on/), { timeout: 60_000, interval: 100 })
  const [, url = ''] = /Ready on (\S+)/.exec(dev.said.stdout) ?? []
  expect((await call({ url }, key, 'GET', '/api/jobs/')).status).toBe(200)

  const second = start(['--port', '0', '--persist-to', state])
  expect(await second.ended).toBe(1)
  expect(second.said.stderr).toMatch(/^The state in \S+ is in use by process \d+: end it.*\n$/)
})
