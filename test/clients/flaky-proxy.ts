import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createRandom } from '../chaos/random.ts'

/** Shares of the requests. The rest pass unharmed. */
const FAULTS = {
  /** The connection breaks before the request reaches the target. */
  dropped: 0.08,
  /** The target has applied the request, and the connection breaks before its reply. */
  reply_lost: 0.08,
  /** The reply breaks off in the middle. */
  truncated: 0.06,
  /** The reply ends in the middle, but says that it is complete. */
  shortened: 0.04,
  /** 503 with `Retry-After`, without asking the target. */
  unavailable: 0.05,
  /** The request is held for a while. */
  delayed: 0.1,
}
type Fault = keyof typeof FAULTS

const LONGEST_DELAY_MS = 200
/** Most 503s ask for no wait: a test that waits a second at each would take too long. */
const RETRY_AFTER_SECONDS = [0, 0, 0, 1]
/** For a child process that another language's tests start. Answered by the proxy itself, without faults. */
const COUNTS_PATH = '/__faults'

interface FlakyProxy {
  url: string
  /** How many requests have arrived. */
  readonly requests: number
  /** How often each fault has struck. */
  readonly faults: Record<string, number>
  close(): Promise<void>
}

/** Starts a proxy in front of `target` (a base URL) that breaks about four in ten requests, as the seed decides. */
export async function startFlakyProxy(target: string, seed: number): Promise<FlakyProxy> {
  const random = createRandom(seed)
  const faults: Record<string, number> = Object.fromEntries(Object.keys(FAULTS).map((name) => [name, 0]))
  let requests = 0

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request)
    if (request.url === COUNTS_PATH) return void response.end(JSON.stringify({ requests, faults }))
    requests++
    // Always the same number of rolls per request: a fault must not shift those of the next requests.
    const [fault, amount] = [pickFault(random()), random()]
    if (fault !== undefined) faults[fault] = (faults[fault] ?? 0) + 1
    if (fault === 'dropped') return void response.destroy()
    if (fault === 'unavailable') {
      const seconds = RETRY_AFTER_SECONDS[Math.floor(amount * RETRY_AFTER_SECONDS.length)] ?? 0
      const headers = { 'content-type': 'application/json', 'retry-after': String(seconds) }
      return void response.writeHead(503, headers).end('{"detail":"Unavailable"}')
    }
    if (fault === 'delayed') await pause(amount * LONGEST_DELAY_MS)
    await relay(target, request, body, response, fault)
  }

  const server = createServer((request, response) => {
    // The target is down or the client has gone: break the connection, as a network would.
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    get requests() {
      return requests
    },
    faults,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function pickFault(roll: number): Fault | undefined {
  let edge = 0
  for (const [name, share] of Object.entries(FAULTS)) {
    edge += share
    if (roll < edge) return name as Fault
  }
  return undefined
}

async function relay(
  target: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const reply = await fetch(`${target}${request.url}`, {
    method: request.method ?? 'GET',
    // `fetch` would unpack the reply, and its headers would no longer fit.
    headers: { ...withoutHopHeaders(request.headers), 'accept-encoding': 'identity' },
    ...(body.length > 0 && { body: new Uint8Array(body) }),
    redirect: 'manual',
    signal: gone.signal,
  })
  const headers = withoutHopHeaders(Object.fromEntries(reply.headers))
  if (reply.headers.get('content-type')?.startsWith('text/event-stream') && reply.body !== null) {
    if (fault === 'reply_lost') return void response.destroy()
    response.writeHead(reply.status, headers)
    for await (const chunk of reply.body) {
      response.write(chunk)
      if (fault === 'truncated' || fault === 'shortened') break
    }
    return void (fault === 'truncated' ? response.destroy() : response.end())
  }
  const bytes = Buffer.from(await reply.arrayBuffer())
  if (fault === 'reply_lost') return void response.destroy()
  const length = fault === 'shortened' ? bytes.length >> 1 : bytes.length
  response.writeHead(reply.status, { ...headers, ...(bytes.length > 0 && { 'content-length': length }) })
  if (fault === 'truncated') response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
  else response.end(bytes.subarray(0, length))
}

/** The headers that are not about one connection only. */
function withoutHopHeaders(headers: IncomingMessage['headers']): Record<string, string> {
  const { host: _, connection, 'content-length': length, 'transfer-encoding': encoding, ...rest } = headers
  return rest as Record<string, string>
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { target: { type: 'string' }, seed: { type: 'string' } } })
  if (values.target === undefined) throw new Error('--target URL is missing')
  console.log((await startFlakyProxy(values.target, Number(values.seed ?? 1))).url)
}
