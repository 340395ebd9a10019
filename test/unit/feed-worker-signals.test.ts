import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'

/*
 * These tests run the program as a process and send it signals, with servers that hang or are gone. None of them measures time:
 * every wait of the worker is longer than the timeout of a test, so a test that ends has seen the wait interrupted.
 */
const TIMEOUT_MS = 25_000

let folder: string
let feed: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'feed-worker-signals-'))
  feed = join(folder, 'feed.json')
  await writeFile(feed, JSON.stringify([{ name: 'Tea' }]))
  await writeFile(join(folder, 'mapping.json'), '{"title": "name"}')
  return () => rm(folder, { recursive: true })
})

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

async function openServer(handle: Handler): Promise<{ url: string; close: () => void }> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  onTestFinished(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

interface Call {
  path: string
  body: { stage?: string; mark_failed?: string }
}

/** A Jobs API with one job. `answer` returns true for a call that it handled, even if only by leaving it unanswered. */
async function openApi(answer: (call: Call, response: ServerResponse) => boolean | undefined = () => false) {
  const reports: Call['body'][] = []
  const server = await openServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const call: Call = { path: request.url ?? '', body: JSON.parse(text) }
    if (answer(call, response)) return
    if (call.path.endsWith('/progress')) reports.push(call.body)
    response.setHeader('content-type', 'application/json')
    response.end('{"job_id": "job_1", "status": "in_progress", "progress_percentage": 0}')
  })
  return { ...server, reports }
}

/** An event that happens once: a server triggers it, and a test awaits it. */
function signpost() {
  let reach = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  return { reached, reach }
}

const SILENT_URL = 'http://127.0.0.1:1/'

function startWorker(source: string, apiUrl: string, dispatchUrl = SILENT_URL) {
  const worker = spawn(
    process.execPath,
    [
      ...['examples/feed-worker/main.ts', source, '--url', apiUrl, '--key', 'mp_x'],
      ...['--mapping', join(folder, 'mapping.json'), '--dispatch-url', dispatchUrl],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  onTestFinished(() => void worker.kill('SIGKILL'))
  let said = ''
  worker.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  // On a slow machine the worker lingers too long and ends by its own signal. Shells report the same code for both.
  const ended = once(worker, 'close').then(() => ({
    code: worker.exitCode ?? 128 + constants.signals[worker.signalCode ?? 'SIGKILL'],
    said,
  }))
  return { kill: (signal: NodeJS.Signals) => worker.kill(signal), ended }
}

describe('A signal makes the worker fail its job and end immediately', { timeout: TIMEOUT_MS }, () => {
  test.for([
    ['sends nothing', () => {}],
    ['stops halfway', (response: ServerResponse) => response.write('[{"name":')],
  ] as const)('while the feed server %s', async ([, answer]) => {
    const api = await openApi()
    const hanging = signpost()
    const shop = await openServer((_, response) => {
      answer(response)
      hanging.reach()
    })
    const worker = startWorker(`${shop.url}/feed.json`, api.url)
    await hanging.reached
    worker.kill('SIGTERM')

    const message = 'The import stopped: the worker was told to stop'
    expect(await worker.ended).toEqual({ code: 143, said: `job_1: failed. ${message}\n` })
    expect(api.reports.at(-1)).toEqual({ mark_failed: message })
  })

  test('while the import does not answer an upload', async () => {
    const api = await openApi()
    const hanging = signpost()
    const platform = await openServer(hanging.reach)
    const worker = startWorker(feed, api.url, platform.url)
    await hanging.reached
    worker.kill('SIGINT')

    expect(await worker.ended).toMatchObject({ code: 130 })
    expect(api.reports.at(-1)).toEqual({ mark_failed: 'The import stopped: the worker was interrupted' })
  })

  test('while a report is unanswered', async () => {
    const hanging = signpost()
    const api = await openApi(({ body }) => {
      if (body.stage !== 'transforming') return false
      hanging.reach()
      return true
    })
    const worker = startWorker(feed, api.url)
    await hanging.reached
    worker.kill('SIGTERM')

    expect(await worker.ended).toMatchObject({ code: 143 })
    expect(api.reports.at(-1)).toHaveProperty('mark_failed')
  })

  test('while it waits to retry a report', async () => {
    const refused = signpost()
    const api = await openApi(({ body }, response) => {
      if (body.stage !== 'transforming') return false
      response.writeHead(503, { 'retry-after': '50' }).end(refused.reach)
      return true
    })
    const worker = startWorker(feed, api.url)
    await refused.reached
    worker.kill('SIGTERM')

    expect(await worker.ended).toMatchObject({ code: 143 })
    expect(api.reports.at(-1)).toHaveProperty('mark_failed')
  })

  test('while it reads a named pipe without a writer', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    const reading = signpost()
    const api = await openApi(({ body }, response) => {
      if (body.stage === 'downloading') response.on('close', reading.reach)
      return false
    })
    const worker = startWorker(pipe, api.url)
    await reading.reached
    worker.kill('SIGTERM')

    // The read blocks a thread that a normal exit would wait for, so the process ends by its own signal.
    expect(await worker.ended).toMatchObject({ code: 143 })
    expect(api.reports.at(-1)).toHaveProperty('mark_failed')
  })
})

describe('A signal ends the worker immediately while the API is down', { timeout: TIMEOUT_MS }, () => {
  test('and it says that there is no job if nothing is listening', async () => {
    const gone = signpost()
    const api = await openServer((request) => {
      api.close()
      request.socket.on('close', gone.reach)
    })
    const worker = startWorker(feed, api.url)
    await gone.reached
    worker.kill('SIGINT')

    const said = 'No job was confirmed. The import stopped: the worker was interrupted\n'
    expect(await worker.ended).toEqual({ code: 130, said })
  })

  test('and it says that there is no job if the API never answers', async () => {
    const hanging = signpost()
    const api = await openServer(hanging.reach)
    const worker = startWorker(feed, api.url)
    await hanging.reached
    worker.kill('SIGTERM')

    expect(await worker.ended).toMatchObject({
      code: 143,
      said: expect.stringContaining('No job was confirmed'),
    })
  })

  test('and it names the job that it could not fail if the API goes down later', async () => {
    const gone = signpost()
    const api = await openApi(({ body }, response) => {
      if (body.stage !== 'transforming') return false
      response.on('close', gone.reach)
      api.close()
      return true
    })
    const worker = startWorker(feed, api.url)
    await gone.reached
    worker.kill('SIGTERM')

    expect(await worker.ended).toMatchObject({
      code: 143,
      said: expect.stringContaining('job_1: could not tell the API. '),
    })
  })

  test('even while it is failing the job', async () => {
    const refused = signpost()
    const api = await openApi(({ body }, response) => {
      if (body.mark_failed === undefined) return false
      response.writeHead(503, { 'retry-after': '50' }).end(refused.reach)
      return true
    })
    const worker = startWorker('/nowhere/feed.json', api.url)
    await refused.reached
    worker.kill('SIGTERM')

    expect(await worker.ended).toMatchObject({
      code: 143,
      said: 'job_1: could not tell the API. feed.json does not exist\n',
    })
  })
})

test.for([
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGINT'],
] as const)(
  'if the process does not end after %s, %s ends it immediately',
  {
    timeout: TIMEOUT_MS,
  },
  async ([first, second]) => {
    const program = `
    import { stopOnSignal } from './examples/feed-worker/stop-on-signal.ts'
    stopOnSignal().signal.onabort = () => console.log('stopping')
    setInterval(() => {}, 60_000)
    console.log('running')`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'close')
    const said = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]()

    expect((await said.next()).value).toBe('running\n')
    child.kill(first)
    expect((await said.next()).value).toBe('stopping\n')
    child.kill(second)
    expect(await ended).toEqual([null, second])
  },
)
