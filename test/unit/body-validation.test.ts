import { afterEach, describe, expect, test, vi } from 'vitest'
import { MAX_BODY_BYTES, MAX_BODY_DEPTH } from '../../src/jobs/limits.ts'
import { app, post, problemsOf, REPORT } from './validation-app.ts'

const utf8 = (text: string) => new Uint8Array(new TextEncoder().encode(text))

function utf16(text: string, littleEndian: boolean) {
  const view = new DataView(new ArrayBuffer(text.length * 2))
  for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at), littleEndian)
  return new Uint8Array(view.buffer)
}

function utf32(text: string, littleEndian: boolean) {
  const points = Array.from(text, (char) => char.codePointAt(0) ?? 0)
  const view = new DataView(new ArrayBuffer(points.length * 4))
  points.forEach((point, at) => {
    view.setUint32(at * 4, point, littleEndian)
  })
  return new Uint8Array(view.buffer)
}

/** Posts a body in pieces, with or without a Content-Length. */
async function send(body: ReadableStream, length?: number): Promise<Response> {
  const headers = { 'Content-Type': 'application/json', ...(length && { 'Content-Length': String(length) }) }
  // Node requires `duplex` for a body that is a stream.
  const init = { method: 'POST', headers, body, duplex: 'half' }
  return await app.request(new Request(`http://x${REPORT}`, init))
}

/** A body of so many bytes, nearly all of them in an unknown field. */
const weighing = (bytes: number) => `{"unknown":"${'x'.repeat(bytes - '{"unknown":""}'.length)}"}`

describe('The size of a body', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('may be 1 MB, and not one byte more', async () => {
    expect((await post(REPORT, weighing(MAX_BODY_BYTES))).status).toBe(200)
    const { status, json } = await post(REPORT, weighing(MAX_BODY_BYTES + 1))
    expect(status).toBe(413)
    expect(json).toStrictEqual({ detail: 'The body is larger than 1048576 bytes' })
  })

  test('is taken from the Content-Length: the refusal does not wait for the body', async () => {
    const never = new ReadableStream({ pull: () => new Promise(() => {}) })
    const reader = (await send(never, MAX_BODY_BYTES + 1)).body?.getReader()
    const said = new TextDecoder().decode((await reader?.read())?.value)
    expect(JSON.parse(said)).toStrictEqual({ detail: 'The body is larger than 1048576 bytes' })
    await reader?.cancel()
  })

  test('that is refused is discarded after the refusal, so that the sender can read the reply', async () => {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536))
        if (sent === 2 * MAX_BODY_BYTES) controller.close()
      },
    })
    const response = await send(body, 2 * MAX_BODY_BYTES)
    expect(response.status).toBe(413)
    expect(await response.json()).toStrictEqual({ detail: 'The body is larger than 1048576 bytes' })
    expect(sent).toBe(2 * MAX_BODY_BYTES)
  })

  test('that is refused need not end or even arrive for the refusal to complete', async () => {
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000)),
    })
    expect(await (await send(endless, 1e12)).json()).toHaveProperty('detail')
    vi.useFakeTimers()
    const stalled = await send(new ReadableStream({ pull: () => new Promise(() => {}) }), 1e12)
    const reply = stalled.json()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await reply).toHaveProperty('detail')
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) })
    expect(await (await send(broken, 1e12)).json()).toHaveProperty('detail')
  })

  test('is counted as chunks arrive, and the refusal does not wait for the rest', async () => {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        sent += 1
        controller.enqueue(utf8('x'.repeat(65_536)))
      },
    })
    expect((await send(body)).status).toBe(413)
    expect(sent).toBeLessThan(20)
  })

  test('does not have to be announced if the body is small enough', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['{"sta', 'ge":"é', '"}']) controller.enqueue(utf8(part))
        controller.close()
      },
    })
    expect(await (await send(body)).json()).toStrictEqual({ stage: 'é' })
  })
})

describe('The encoding of a body', () => {
  const text = '{"stage":"é😀"}'

  test.each([
    ['UTF-8', utf8(text)],
    ['UTF-8 with BOM', utf8(`\ufeff${text}`)],
    ['UTF-16 LE', utf16(text, true)],
    ['UTF-16 BE', utf16(text, false)],
    ['UTF-16 LE with BOM', utf16(`\ufeff${text}`, true)],
    ['UTF-16 BE with BOM', utf16(`\ufeff${text}`, false)],
    ['UTF-32 LE', utf32(text, true)],
    ['UTF-32 BE', utf32(text, false)],
    ['UTF-32 LE with BOM', utf32(`\ufeff${text}`, true)],
    ['UTF-32 BE with BOM', utf32(`\ufeff${text}`, false)],
  ])('may be %s', async (_name, bytes) => {
    expect(await post(REPORT, bytes)).toStrictEqual({ status: 200, json: { stage: 'é😀' } })
  })

  test('may be UTF-16, also for a long body and for one of a single character', async () => {
    const stage = 'é'.repeat(4096)
    expect(await post(REPORT, utf16(JSON.stringify({ stage, message: stage }), true))).toMatchObject({
      json: { stage, message: stage },
    })
    expect(await post(REPORT, utf16('7', false))).toMatchObject({ json: { detail: [{ input: 7 }] } })
    expect(await post(REPORT, utf16('7', true))).toMatchObject({ json: { detail: [{ input: 7 }] } })
  })

  test.each([
    ['a byte that UTF-8 lacks', [0x7b, 0xff, 0x7d]],
    ['half a character', [0x22, 0xc3]],
    ['half a unit of UTF-16', [0xff, 0xfe, 0x7b]],
    ['half a unit of UTF-32', [0, 0, 0xfe, 0xff, 0, 0]],
    ['a point beyond Unicode', [0, 0, 0, 0x22, 0, 0x11, 0, 0]],
  ])('is refused with 400 for %s', async (_name, bytes) => {
    const answer = await post(REPORT, new Uint8Array(bytes))
    expect(answer).toStrictEqual({ status: 400, json: { detail: 'There was an error parsing the body' } })
  })
})

describe('The content type of a body', () => {
  test.each([
    'application/json',
    'Application/JSON; charset=latin1',
    ' application/json ;',
    'application/problem+json',
    'application/vnd.a.b+json; v=1',
    'application/a+b+json',
    'application/a!b+json',
    'application/+json',
  ])('%j is JSON', async (type) => {
    const answer = await post(REPORT, '{"total_items":"x","stage":"a"}', { 'Content-Type': type })
    expect(answer).toMatchObject({ status: 422, json: { detail: [{ type: 'int_parsing' }] } })
    expect(await post(REPORT, '{"stage":"a"}', { 'Content-Type': type })).toMatchObject({
      json: { stage: 'a' },
    })
  })

  test.each([
    '',
    'json',
    'text/json',
    'application/jsonp',
    'application/json/x',
    'application/x-json',
    'application',
  ])('%j is not JSON: the body counts as a text', async (type) => {
    const { status, json } = await post(REPORT, '{"stage":"é"}', type ? { 'Content-Type': type } : {})
    expect(status).toBe(422)
    expect(json.detail).toStrictEqual([
      {
        type: 'model_attributes_type',
        loc: ['body'],
        msg: 'Input should be a valid dictionary or object to extract fields from',
        input: '{"stage":"é"}',
      },
    ])
  })

  test('does not matter without a body', async () => {
    const missing = { type: 'missing', loc: ['body'], msg: 'Field required', input: null }
    for (const headers of [{}, { 'Content-Type': 'text/plain' }, { 'Content-Type': 'application/json' }]) {
      expect(await post(REPORT, null, headers)).toStrictEqual({ status: 422, json: { detail: [missing] } })
      expect(await post(REPORT, '', headers)).toStrictEqual({ status: 422, json: { detail: [missing] } })
    }
    expect(await problemsOf(' null ')).toStrictEqual([missing])
  })
})

describe('Malformed JSON', () => {
  test.each([
    ['', ' ', 1, 'Expected a value'],
    ['an object that is never closed', '{"stage":"x"', 12, "Expected ',' or '}'"],
    ['an array that is never closed', '[1', 2, "Expected ',' or ']'"],
    ['a comma before the end', '{"stage":"x",}', 13, 'Expected a name in double quotes'],
    ['a comma too many', '[1,]', 3, 'Expected a value'],
    ['a name without a value', '{"stage"}', 8, "Expected ':'"],
    ['a bare name', '{stage:1}', 1, 'Expected a name in double quotes'],
    ['a second value', '{} {}', 3, 'Nothing may follow the value'],
    ['a leading zero', '{"a":01}', 6, "Expected ',' or '}'"],
    ['a line break in a string', '{"a":"\n"}', 6, 'Control characters in strings must be escaped'],
    ['an unknown escape', '{"a":"\\x"}', 6, 'Unknown escape in a string'],
    ['half an escape', '{"a":"\\u12"}', 6, 'Unknown escape in a string'],
    ['a string that is never closed', '{"a":"bc', 5, 'The string is never closed'],
    ['an infinity with too much behind it', '{"a":Infinity1}', 13, "Expected ',' or '}'"],
    ['the wrong bracket', '{"a":[}', 6, 'Expected a value'],
  ])('is refused with its position and reason: %s', async (_name, body, position, error) => {
    expect(await problemsOf(body)).toStrictEqual([
      { type: 'json_invalid', loc: ['body', position], msg: 'JSON decode error', input: {}, ctx: { error } },
    ])
  })

  test.each(['NaN', 'Infinity', '-Infinity'])('is also %s, even in an unknown field', async (token) => {
    expect(await problemsOf(`{"stage":"NaN","unknown":[1,${token}]}`)).toStrictEqual([
      {
        type: 'json_invalid',
        loc: ['body', 28],
        msg: 'JSON decode error',
        input: {},
        ctx: { error: `${token} is not a JSON number` },
      },
    ])
    expect(await problemsOf(`{"metadata_patch":{"a":${token}}}`)).toMatchObject([{ type: 'json_invalid' }])
    expect(await problemsOf(`{"unknown":${token},"stage":5}`)).toMatchObject([{ type: 'string_type' }])
    expect(await problemsOf(`{"total_items":${token}}`)).toMatchObject([
      { type: 'finite_number', input: null },
    ])
    expect(await problemsOf(`{"stage":${token}}`)).toMatchObject([{ type: 'string_type', input: null }])
    expect(await problemsOf(token)).toMatchObject([{ type: 'model_attributes_type', input: null }])
  })
})

describe('Nesting', () => {
  const nested = (levels: number, at: string) => {
    const arrays = levels - at.split('{').length + 1
    return at.replace('*', '['.repeat(arrays) + ']'.repeat(arrays))
  }
  const places = [
    '{"metadata_patch":{"a":*}}',
    '{"stage":*}',
    '{"unknown":*}',
    '{"error":{"details":{"a":*}}}',
    '*',
  ]

  test('may go as deep as a record can hold', async () => {
    expect((await post(REPORT, nested(MAX_BODY_DEPTH, '{"metadata_patch":{"a":*}}'))).status).toBe(200)
    expect(await problemsOf(nested(MAX_BODY_DEPTH, '{"stage":*}'))).toMatchObject([{ type: 'string_type' }])
  })

  test.each(places)('may not go deeper: %s', async (place) => {
    for (const levels of [MAX_BODY_DEPTH + 1, 5000, 500_000]) {
      const [problem] = await problemsOf(nested(levels, place))
      expect(problem).toMatchObject({
        type: 'json_invalid',
        ctx: { error: 'Nested more than 500 levels deep' },
      })
    }
  })

  test('is not counted within strings', async () => {
    const stage = '\\"[{'.repeat(1000)
    expect(await post(REPORT, JSON.stringify({ stage }))).toMatchObject({ status: 200, json: { stage } })
  })
})
