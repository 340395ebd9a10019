import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify, stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { aCaller, anError, aRunningJob, aWarning, aWorker, UNKNOWN_ID } from '../edge/fixtures.ts'
import { startEdge } from '../edge/harness.ts'
import { MILEPOST, startCli, startInTerminal } from './run-cli.ts'

const NOWHERE = 'http://127.0.0.1:2'
const JOB_ID = /job_[0-9a-f]{32}/

let edge: Edge
let caller: Awaited<ReturnType<typeof aCaller>>
let env: Record<string, string>
let folder: string

beforeAll(async () => {
  edge = await startEdge()
  caller = await aCaller(edge)
  env = { MILEPOST_URL: edge.url, MILEPOST_API_KEY: caller.key }
  folder = mkdtempSync(join(tmpdir(), 'milepost-cli-'))
})
afterAll(async () => {
  await edge?.dispose()
  rmSync(folder, { recursive: true, force: true })
})

/** The job whose ID a command printed. */
async function jobIn(stdout: string) {
  const [jobId] = JOB_ID.exec(stdout) ?? []
  return (await caller.get(`/api/jobs/${jobId}`)).body
}

function milepost(args: string[], settings: Parameters<typeof startCli>[1] = {}) {
  return startCli(args, { env, ...settings }).ended
}

async function printed(output: { stdout: string }, text: string | RegExp): Promise<void> {
  await vi.waitFor(() => expect(output.stdout).toMatch(text), { timeout: 5_000, interval: 20 })
}

describe.concurrent('milepost run', () => {
  const run = (script: string, options: string[] = [], settings: Parameters<typeof startCli>[1] = {}) =>
    milepost(['run', ...options, '--', 'sh', '-c', script], settings)

  test('reports what the command prints as markers, and passes on the rest as it is', async () => {
    const script = `
      echo $MILEPOST_JOB_ID; echo ::progress 5/10; printf '\\377\\000 no newline: '; cat
      echo ::error '"sku 1"' no_price No price; echo ::warning sku-2 no_image No image; echo ::count created 4
      echo ::stage uploading; echo ::add 3; echo ::nothing 1; echo also on its own > /dev/stderr; printf ::message' bye'`
    const options = ['--name', 'Prices', '--metadata', 'shop=a=b', '--type', 'prices', '--entity-type', 'sku']
    const { code, stdout, stderr } = await run(script, options, { input: 'read from stdin\n' })

    expect(code).toBe(0)
    expect(stderr).toBe('also on its own\n')
    expect(stdout.replace(JOB_ID, 'ID')).toBe('ID\n\ufffd\0 no newline: read from stdin\n::nothing 1\n')
    expect(await jobIn(stdout)).toMatchObject({
      status: 'partial_success',
      job_type: 'prices',
      metadata: { name: 'Prices', shop: 'a=b', stage: 'uploading', last_message: 'bye' },
      total_items: 10,
      processed_items: 8,
      counters: { created: 4 },
      errors: [{ entity_type: 'sku', entity_key: 'sku 1', error_type: 'no_price', message: 'No price' }],
      warnings: [{ entity_key: 'sku-2', message: 'No image' }],
    })
  })

  test('fails the job with the end of stderr, and returns the exit code', async () => {
    const { code, stdout, stderr } = await run('echo $MILEPOST_JOB_ID; echo no luck >&2; exit 3')
    expect({ code, stderr }).toEqual({ code: 3, stderr: 'no luck\n' })
    expect(await jobIn(stdout)).toMatchObject({ status: 'failed', error_message: 'Exit code 3\nno luck' })
  })

  test('goes on with a job that exists', async () => {
    const { stdout } = await milepost(['create', '--type', 'import', '--total', '2'])
    expect((await run('echo ::progress 2', ['--job-id', stdout.trim()])).code).toBe(0)
    expect(await jobIn(stdout)).toMatchObject({ status: 'completed', total_items: 2, processed_items: 2 })
  })

  test('forwards signals, and returns 128 and the number of one that killed the command', async () => {
    const trapping = startCli(
      ['run', '--', 'sh', '-c', 'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done'],
      { env },
    )
    await printed(trapping.output, 'up')
    trapping.child.kill('SIGTERM')
    expect(await trapping.ended).toMatchObject({ code: 9 })

    const killed = await run('echo $MILEPOST_JOB_ID; kill -INT $$')
    expect(killed.code).toBe(130)
    expect(await jobIn(killed.stdout)).toMatchObject({ status: 'failed', error_message: 'Killed by SIGINT' })
  })

  test('returns what a shell returns for a command that is not there', async () => {
    const { code, stderr } = await milepost(['run', '--', '/no/such/command'])
    expect({ code, stderr }).toEqual({ code: 127, stderr: 'milepost: /no/such/command: command not found\n' })
  })

  test.each([
    [
      'an API that does not answer',
      '0.1',
      { MILEPOST_URL: NOWHERE },
      /starts without .*\n.*was not created/s,
    ],
    ['a wrong key', '5', { MILEPOST_API_KEY: 'wrong' }, /nothing is reported: 401/],
    ['no URL', '5', { MILEPOST_URL: '' }, /Nothing is reported: The URL/],
  ])('runs the command in spite of %s', async (_, seconds, wrong, warning) => {
    const options = ['--connect-timeout', seconds, '--report-timeout', seconds]
    const settings = { env: { ...env, ...wrong, MILEPOST_JOB_ID: 'job_around' } }
    const { code, stdout, stderr } = await run('echo ran $MILEPOST_JOB_ID; exit 4', options, settings)
    expect({ code, stdout }).toEqual({ code: 4, stdout: 'ran\n' })
    expect(stderr).toMatch(warning)
    expect(stderr).not.toContain(caller.key)
  })

  test('creates the job later if the API comes back, with what was reported until then', async () => {
    const tries: string[] = []
    let isBack = false
    const server = createServer(async (request, response) => {
      const body = await text(request)
      if (!isBack) tries.push(String(request.headers['idempotency-key']))
      if (!isBack) return void response.writeHead(503).end()
      const { authorization = '' } = request.headers
      const headers = { authorization, 'content-type': 'application/json' }
      const { method = 'GET' } = request
      const reply = await fetch(`${edge.url}${request.url}`, {
        method,
        headers,
        ...(method === 'POST' && { body }),
      })
      response.writeHead(reply.status).end(await reply.text())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo

    const script = 'echo ::progress 3/4; echo ::error a b c; echo $MILEPOST_JOB_ID.; read line'
    const args = ['run', '--type', 'late', '--connect-timeout', '0.1', '--', 'sh', '-c', script]
    const { child, output, ended } = startCli(args, {
      env: { ...env, MILEPOST_URL: `http://127.0.0.1:${port}` },
    })
    await printed(output, '.\n')
    isBack = true
    child.stdin?.end('go on\n')
    expect(await ended).toMatchObject({ code: 0, stdout: '.\n' })
    server.close()

    expect(new Set(tries).size).toBe(1)
    const { body } = await caller.get('/api/jobs/?job_type=late')
    expect(body.jobs).toMatchObject([
      { status: 'partial_success', processed_items: 3, total_items: 4, error_count: 1 },
    ])
  })

  test('stops the command when its job is canceled, in the end with SIGKILL', async () => {
    const script = 'trap "" TERM; echo $MILEPOST_JOB_ID; while :; do sleep 0.05; done'
    const args = ['run', '--check-every', '0.1', '--grace', '0.2', '--', 'sh', '-c', script]
    const { output, ended } = startCli(args, { env })
    await printed(output, JOB_ID)
    const { job_id } = await jobIn(output.stdout)
    expect((await milepost(['cancel', job_id, '--reason', 'enough'])).code).toBe(0)
    const { code, stderr } = await ended
    expect(code).toBe(137)
    expect(stderr).toContain(`${job_id} was canceled: stopping the command`)
    expect(await jobIn(job_id)).toMatchObject({ status: 'cancelled', error_message: 'enough' })
  })
})

describe.concurrent('milepost watch', () => {
  test.each([
    [0, 'completed', {}],
    [0, 'completed_with_warnings', { warning: aWarning }],
    [5, 'partial_success', { error: anError }],
  ])('ends with %d for %s, and prints each state as JSON', async (code, status, last) => {
    const worker = await aRunningJob(edge)
    const watching = startCli(['watch', worker.jobId, '--json'], {
      env: { ...env, MILEPOST_API_KEY: worker.key },
    })
    await printed(watching.output, '\n')
    await worker.reported({ ...last, processed_items: 10, mark_completed: true })
    const { stdout, ...ended } = await watching.ended
    expect(ended).toEqual({ code, stderr: '' })
    const states = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(states.at(0)).toMatchObject({ job_id: worker.jobId, status: 'in_progress' })
    expect(states.at(-1)).toMatchObject({ status, processed_items: 10, progress_percentage: 100 })
  })

  test('prints lines and a summary where there is no terminal', async () => {
    const worker = await aRunningJob(edge)
    await worker.reported({ error: anError, mark_failed: 'Out of paper' })
    const { code, stdout, stderr } = await milepost(['watch', worker.jobId], {
      env: { ...env, MILEPOST_API_KEY: worker.key },
    })
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
    expect(stderr).toMatch(/^\[##-+\] {3}10% {2}1\/10 {2}failed {2}1 error\n/)
    expect(stderr).toMatch(/\) failed after .*, 1 failed\nOut of paper\n1 error: milepost errors job_/)
  })

  test('gives up after its timeout', async () => {
    const worker = await aWorker(edge)
    const { code, stderr } = await milepost(['watch', worker.jobId, '--timeout', '0.5'], {
      env: { ...env, MILEPOST_API_KEY: worker.key },
    })
    expect(code).toBe(7)
    expect(stderr).toContain('milepost: The job is still pending after 0.5 s')
  })
})

// Elsewhere, `script` has other options.
describe.skipIf(process.platform !== 'linux').concurrent('in a terminal', () => {
  test('run keeps the exit code, and Ctrl-C reaches the command once', async () => {
    // Not a shell: two signals in a moment are one to its trap.
    const script = `
      let got = 0
      process.on('SIGINT', () => console.log('got', ++got) ?? setTimeout(() => process.exit(6), 300))
      setInterval(() => {}, 1_000)
      console.log('up')`
    const { child, output, ended } = startInTerminal(
      `${MILEPOST} run -- '${process.execPath}' --eval "$SCRIPT"`,
      { env: { ...env, SCRIPT: script } },
    )
    await printed(output, 'up')
    child.stdin?.write('\x03')
    const { code, stdout } = await ended
    expect(code).toBe(6)
    expect(stdout.match(/got \d/g)).toEqual(['got 1'])
  })

  test.each([
    ['', /32m\[#+-*\].\[39m/],
    ['1', /\r\[#+-*\]/],
  ])('watch redraws one line that fits (NO_COLOR=%j)', async (NO_COLOR, bar) => {
    const worker = await aRunningJob(edge)
    await worker.reported({
      processed_items: 5,
      stage: 'a stage with a very long name, longer than the line',
    })
    const { output, ended } = startInTerminal(`${MILEPOST} watch ${worker.jobId}`, {
      env: { ...env, MILEPOST_API_KEY: worker.key, NO_COLOR },
    })
    await printed(output, '5/10')
    await worker.reported({ processed_items: 10, mark_completed: true })
    const { code, stdout } = await ended
    expect(code).toBe(0)
    const [drawn = '', ...summary] = stdout.split('\r\n')[0]?.split('\r\x1b[K') ?? []
    expect(drawn).toMatch(bar)
    expect(summary.join()).toMatch(/completed after .*: 10 of 10 done/)
    const lines = drawn.split('\r').map((line) => stripVTControlCharacters(line))
    expect(lines.filter((line) => line.length > 59)).toEqual([])
  })
})

describe.concurrent('milepost list, get, errors and warnings', () => {
  test('print JSON on stdout, or text on stderr', async () => {
    const worker = await aRunningJob(edge, { metadata: { theirKey: 1 } })
    await worker.reported({ error: anError, warning: aWarning })
    const as = { env: { ...env, MILEPOST_API_KEY: worker.key } }
    // Times pass, and the pace with them.
    const { duration_seconds: _, rate_per_second: __, eta_seconds: ___, ...job } = await worker.read()

    const [got, listed, ...both] = await Promise.all(
      [
        ['get', worker.jobId],
        ['list', '--status', 'in_progress', '--status', 'failed'],
        ['errors', worker.jobId],
        ['warnings', worker.jobId],
      ].map((args) => milepost([...args, '--json'], as)),
    )
    expect(JSON.parse(got?.stdout ?? '')).toMatchObject(job)
    // The counts in a list may be a second behind.
    const { job_id, status, metadata, created_at } = job
    expect(JSON.parse(listed?.stdout ?? '')).toMatchObject({ job_id, status, metadata, created_at })
    expect(both.map(({ stdout }) => JSON.parse(stdout))).toEqual([job.errors[0], job.warnings[0]])
    for (const done of [got, listed, ...both]) expect(done).toMatchObject({ code: 0, stderr: '' })

    await vi.waitFor(async () => {
      const about = await milepost(['entity', 'product', 'sku-1', '--json'], as)
      expect(about).toMatchObject({ code: 0, stderr: '' })
      const { job_id, job_type } = job
      expect(JSON.parse(about.stdout)).toEqual({ kind: 'error', job_id, job_type, ...job.errors[0] })
    }, 5_000)
    const { code, stderr } = await milepost(['types', '--since', '2026-01-01', '--until', '2026-01-02'], as)
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'No errors or warnings\n' })
    const csv = await milepost(['errors', worker.jobId, '--csv', '--type', 'no_price'], as)
    expect(csv).toMatchObject({ code: 0, stderr: '' })
    expect(csv.stdout).toMatch(/^\ufefftimestamp,.*\r\n.*Z,product,sku-1,no_price,No price,,\r\n$/)

    const texts = await Promise.all(
      [
        ['get', worker.jobId],
        ['list', '--limit', '1'],
        ['errors', worker.jobId],
      ].map((args) => milepost(args, as)),
    )
    for (const { code, stdout } of texts) expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(texts[0]?.stderr).toMatch(
      /^status +in_progress, 10%\nitems +0 of 10 done, 1 failed, 1 with warnings$/m,
    )
    expect(texts[1]?.stderr).toMatch(/^JOB .*\njob_\w+ {2}import {2}in_progress {2}0\/10 /)
    expect(texts[2]?.stderr).toMatch(/Z {2}product sku-1 {2}no_price {2}No price\n$/)
  })

  test('end with an exit code that says what to do', async () => {
    const reporter = await aCaller(edge, { permissions: ['job:create'] })
    const finished = await aWorker(edge)
    await finished.reported({ mark_completed: true })
    const as = (key: string) => ({ env: { ...env, MILEPOST_API_KEY: key } })
    const codes = await Promise.all([
      milepost([]),
      milepost(['get']),
      milepost(['list', '--no-such-option']),
      milepost(['list'], { env: { ...env, MILEPOST_URL: '' } }),
      milepost(['list'], as('wrong')),
      milepost(['list'], as('')),
      milepost(['list'], as(reporter.key)),
      milepost(['get', UNKNOWN_ID]),
      milepost(['list', '--status', 'unknown']),
      milepost(['cancel', finished.jobId], as(finished.key)),
      milepost(['list', '--timeout', '0.1', '--url', NOWHERE]),
    ])
    expect(codes.map(({ code }) => code)).toEqual([2, 2, 2, 2, 3, 3, 4, 5, 5, 5, 7])
    for (const { stdout, stderr } of codes) {
      expect(stdout).toBe('')
      expect(stderr).toMatch(/^milepost: |^Usage: /)
    }
  })

  test('take the URL and the key from a profile', async () => {
    const config = join(folder, 'milepost')
    const path = join(config, 'profiles.json')
    mkdirSync(config)
    writeFileSync(path, JSON.stringify({ shop: { url: edge.url, key: caller.key } }), { mode: 0o600 })
    const list = (name: string) =>
      milepost(['list', '--profile', name], { env: { XDG_CONFIG_HOME: folder, MILEPOST_API_KEY: 'another' } })
    expect(await list('shop')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('milepost:') })
    expect(await list('other')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no profile other'),
    })
    chmodSync(path, 0o644)
    expect(await list('shop')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('readable by others'),
    })
    writeFileSync(path, `{"shop": {"key": ${caller.key}}}`)
    const broken = await list('shop')
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('should be a JSON object') })
    expect(broken.stderr).not.toContain(caller.key)
  })
})

test('The installed command says its version, and each command has help', async () => {
  const installed = promisify(execFile)
  const { stdout } = await installed('node_modules/.bin/milepost', ['--version'])
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  const help = await milepost(['--help'])
  const commands = [...help.stdout.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name = '']) => name)
  expect(commands).toHaveLength(10)
  const each = await Promise.all(commands.map((name) => milepost([name, '--help'])))
  for (const [index, { code, stdout }] of each.entries()) {
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: milepost ${commands[index]} `)
    expect(stdout.split('\n').filter((line) => line.length > 132)).toEqual([])
  }
})
