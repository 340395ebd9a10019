import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { drizzle } from 'drizzle-orm/d1'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import { saveWebhookSecret } from '../../src/store/webhook-secrets.ts'
import { aCaller, anError, aWorker, NEW_JOB, TIME } from './fixtures.ts'
import { freshOrganization, startEdge } from './harness.ts'

interface Received {
  method: string | undefined
  path: string
  headers: IncomingHttpHeaders
  text: string
}

const SECRET = `whsec_${Buffer.from('a secret of 32 bytes, no more...').toString('base64')}`

let edge: Edge
let server: Server
let origin: string
const received: Received[] = []
/** By path, the receiver's replies to the first posts; after these it replies 200. */
const answers = new Map<string, { status: number; location?: string }[]>()

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const { method, url: path = '', headers } = request
    received.push({ method, path, headers, text })
    const { status, location } = answers.get(path)?.shift() ?? { status: 200 }
    response.writeHead(status, location === undefined ? {} : { Location: location }).end('whatever')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  edge = await startEdge({ bindings: { ALLOW_LOOPBACK_CALLBACKS: true } })
})
afterAll(async () => {
  await edge?.dispose()
  server?.close()
})

const postsTo = (path: string) => received.filter((post) => post.path === path)

/** A worker whose finished job is posted to a path of its own, or to `callbackUrl`. */
async function aJobToPost({
  secret = SECRET,
  callbackUrl,
}: {
  secret?: string | null
  callbackUrl?: string | null
} = {}) {
  const org = freshOrganization()
  if (secret !== null) await saveWebhookSecret(drizzle(await edge.d1()), org, secret, Date.now())
  const hook = `/${org}`
  const callback_url = callbackUrl === undefined ? `${origin}${hook}` : callbackUrl
  const worker = await aWorker(edge, { metadata: { source: 'größer' }, callback_url }, { org })
  expect(worker.created).toMatchObject({ callback_url })
  const deliveries = async () => (await worker.get(`${worker.path}/deliveries`)).body
  return {
    ...worker,
    hook,
    deliveries,
    /** The deliveries, once so many attempts were made. */
    attempted: async (count: number) => {
      await vi.waitFor(async () => expect((await deliveries()).deliveries).toHaveLength(count), {
        timeout: 12_000,
        interval: 100,
      })
      return await deliveries()
    },
  }
}

describe.concurrent('A finished job', () => {
  test('is posted once, in full, with a signature that the receiver can verify', async () => {
    const { path, hook, report, read, attempted, deliveries } = await aJobToPost()
    await report({ mark_started: true, processed_items: 1, error: anError })
    expect(await deliveries()).toMatchObject({ next_attempt_at: null, deliveries: [] })
    const finished = (await report({ mark_completed: true })).body
    const { callback_url } = finished
    expect(await attempted(1)).toEqual({
      callback_url,
      next_attempt_at: null,
      deliveries: [{ attempted_at: TIME, status: 200, error: null }],
    })

    const posts = postsTo(hook)
    expect(posts).toHaveLength(1)
    const [{ method, headers, text }] = posts as [Received]
    expect(method).toBe('POST')
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': `msg_${path.split('/').at(-1)}`,
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}=$/),
    })
    expect(headers).not.toHaveProperty('authorization')
    expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toEqual(finished)
    expect(() => new Webhook(SECRET).verify(`${text} `, headers as Record<string, string>)).toThrow()
    expect(() =>
      new Webhook(`whsec_${btoa('another')}`).verify(text, headers as Record<string, string>),
    ).toThrow()
    expect(await read()).toEqual(finished)
  })

  test.each(['failed', 'cancelled'])('is also posted if it is %s', async (status) => {
    const { hook, report, cancel, attempted } = await aJobToPost()
    const end = {
      failed: () => report({ mark_failed: 'gone' }),
      cancelled: () => cancel(),
    }
    expect((await end[status as keyof typeof end]()).status).toBe(200)
    await attempted(1)
    expect(postsTo(hook).map(({ text }) => JSON.parse(text).status)).toEqual([status])
  })

  test('is posted again, as the same message, if the receiver did not accept it', {
    timeout: 20_000,
  }, async () => {
    const { hook, report, attempted } = await aJobToPost()
    answers.set(hook, [{ status: 500 }])
    await report({ mark_completed: true })
    const first = await attempted(1)
    expect(first.deliveries).toEqual([
      { attempted_at: TIME, status: 500, error: 'The receiver did not accept it' },
    ])
    const wait = Date.parse(first.next_attempt_at) - Date.parse(first.deliveries[0].attempted_at)
    expect(wait).toBeGreaterThanOrEqual(5_000)

    const second = await attempted(2)
    expect(second.next_attempt_at).toBeNull()
    expect(second.deliveries[1]).toEqual({ attempted_at: TIME, status: 200, error: null })
    const posts = postsTo(hook)
    expect(posts).toHaveLength(2)
    expect(posts[1]?.headers['webhook-id']).toBe(posts[0]?.headers['webhook-id'])
    expect(posts[1]?.text).toBe(posts[0]?.text)
    for (const { text, headers } of posts) {
      expect(new Webhook(SECRET).verify(text, headers as Record<string, string>)).toBeDefined()
    }
  })

  test('is not posted to the target of a redirect', async () => {
    const { hook, report, attempted } = await aJobToPost()
    answers.set(hook, [{ status: 307, location: `${origin}${hook}/elsewhere` }])
    await report({ mark_completed: true })
    expect((await attempted(1)).deliveries).toEqual([
      { attempted_at: TIME, status: 307, error: 'The receiver did not accept it' },
    ])
    expect(postsTo(`${hook}/elsewhere`)).toEqual([])
  })

  test('of an organization without a secret is not posted, and its deliveries say what is missing', async () => {
    const { hook, report, attempted } = await aJobToPost({ secret: null })
    await report({ mark_completed: true })
    const { deliveries, next_attempt_at } = await attempted(1)
    expect(deliveries).toEqual([
      { attempted_at: TIME, status: null, error: 'The organization has no signing secret' },
    ])
    expect(next_attempt_at).toEqual(TIME)
    expect(postsTo(hook)).toEqual([])
  })

  test('that cannot be delivered has an attempt that says so', async () => {
    const { report, attempted } = await aJobToPost({ callbackUrl: 'http://127.0.0.1:1/hook' })
    await report({ mark_completed: true })
    expect((await attempted(1)).deliveries).toEqual([
      { attempted_at: TIME, status: null, error: 'The receiver could not be reached' },
    ])
  })

  test('without a callback URL is posted nowhere', async () => {
    const { reported, deliveries } = await aJobToPost({ callbackUrl: null })
    await reported({ mark_completed: true })
    expect(await deliveries()).toEqual({ callback_url: null, next_attempt_at: null, deliveries: [] })
  })
})

describe('A callback_url is refused', () => {
  test.each([
    ['http://example.com/hook', 'URL should be https'],
    ['https://user:secret@example.com/hook', 'URL should not carry a name or password'],
    ['https://10.0.0.1/hook', 'URL should lead to a public address'],
    ['https://0xa9fea9fe/latest/meta-data', 'URL should lead to a public address'],
    ['https://[fd00::1]/hook', 'URL should lead to a public address'],
    ['https://db.internal/hook', 'URL should lead to a public address'],
    ['not a URL', 'Input should be a valid URL'],
    ['', 'Input should be a valid URL'],
  ])('%j', async (input, msg) => {
    const { status, body } = await create(edge, input)
    expect(status).toBe(422)
    expect(body).toEqual({ detail: [{ type: 'url_parsing', loc: ['body', 'callback_url'], msg, input }] })
  })

  test.each([5, [], {}])('if it is not a string: %j', async (input) => {
    const { status, body } = await create(edge, input)
    expect({ status, detail: body.detail }).toMatchObject({
      status: 422,
      detail: [{ type: 'string_type', loc: ['body', 'callback_url'], input }],
    })
  })

  test('if it is longer than 2,048 characters', async () => {
    const { status, body } = await create(edge, `https://example.com/${'a'.repeat(2_048)}`)
    expect({ status, type: body.detail[0].type }).toEqual({ status: 422, type: 'string_too_long' })
  })

  test('if it leads to this machine, unless that is allowed', async () => {
    const strict = await startEdge()
    try {
      for (const url of [
        'http://127.0.0.1:8080/',
        'https://127.0.0.1/',
        'https://localhost/',
        'https://[::1]/',
      ]) {
        expect({ url, status: (await create(strict, url)).status }).toEqual({ url, status: 422 })
        expect({ url, status: (await create(edge, url)).status }).toEqual({ url, status: 200 })
      }
      expect((await create(strict, 'https://example.com/hook')).status).toBe(200)
    } finally {
      await strict.dispose()
    }
  })

  async function create(at: Edge, callback_url: unknown) {
    const { post } = await aCaller(at)
    return await post('/api/jobs/', { ...NEW_JOB, callback_url })
  }
})
