import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { lockState } from '../../scripts/state-lock.ts'
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

test('a second start on one state says in a sentence who holds it, and ends with 1', async () => {
  const state = freshState()
  const first = start(['--port', '0', '--persist-to', state])
  const url = await first.url()
  const second = start(['--port', '0', '--persist-to', state])
  expect(await second.ended).toBe(1)
  expect(second.said).toEqual({
    stdout: '',
    stderr: `The state in ${state} is in use by process ${first.child.pid} at ${url}: end it, or choose another state with --persist-to.\n`,
  })

  // It has done the first no harm, and once that is gone the state is free.
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  await start(['--port', '0', '--persist-to', state]).url()
})

test('an edge that is killed takes its runtime with it, and the next start has its port, its state and its jobs', async () => {
  const state = freshState()
  const first = start(['--port', '0', '--persist-to', state])
  const url = await first.url()
  const key = await issueByCommand(state, freshOrganization())
  const { body: job } = await call({ url }, key, 'POST', '/api/jobs/', { job_type: 'import', total_items: 1 })
  const runtime = runtimeOf(first)
  first.child.kill('SIGKILL')

  // At once: it waits by itself for the last runtime to be gone.
  const next = start(['--port', new URL(url).port, '--persist-to', state])
  expect(await next.url()).toBe(url)
  expect(isAlive(runtime)).toBe(false)
  expect((await call({ url }, key, 'GET', `/api/jobs/${job.job_id}`)).body).toEqual(job)
})

test('an edge started by npm ends with npm, even if that is killed', async () => {
  const first = start(['--port', '0', '--persist-to', freshState()], ['npm', 'start', '--'])
  await first.url()
  const below = descendantsOf(first.child.pid ?? 0).map(({ pid }) => pid)
  expect(below.length).toBeGreaterThan(1)
  first.child.kill('SIGKILL')
  await vi.waitFor(() => expect(below.filter(isAlive)).toEqual([]), { timeout: 20_000, interval: 50 })
})

test('a runtime that was killed is started anew, and still ends with its parent', async () => {
  const edge = start(['--port', '0', '--persist-to', freshState()])
  const url = await edge.url()
  const killed = runtimeOf(edge)
  process.kill(killed, 'SIGKILL')
  await vi.waitFor(() => expect(runtimeOf(edge)).not.toBe(killed), { timeout: 20_000, interval: 50 })
  await vi.waitFor(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), { timeout: 20_000 })
  const runtime = runtimeOf(edge)
  edge.child.kill('SIGKILL')
  await vi.waitFor(() => expect(isAlive(runtime)).toBe(false), { timeout: 20_000, interval: 50 })
})

test('two edges of one process have one state each, and no more', async () => {
  const edge = await startEdge()
  onTestFinished(() => edge.dispose())
  const state = edge.d1File().replace(/\/d1\/.*/, '')
  await expect(lockState(state)).rejects.toThrow(`is in use by process ${process.pid} at ${edge.url}`)
})

test('what a holder left behind locks nobody out, though its process id is now that of another', async () => {
  const state = freshState()
  mkdirSync(join(state, 'v3'))
  // As after a crash or a reboot: two processes that are alive and know nothing of it.
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

test('wrangler dev does not run beside npm start on one state', async () => {
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
