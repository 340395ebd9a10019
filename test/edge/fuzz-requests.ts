import * as fc from 'fast-check'

/** A request as it goes over the wire. In `path`, `{id}` stands for the job that is tried. */
export interface FuzzedRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: Uint8Array | string | null
}

/** What generated requests may name. */
interface Surroundings {
  /** Method and path of every endpoint, as the API's own description has them. */
  endpoints: { method: string; path: string }[]
  key: string
  organization: string
  /** A key of another organization. */
  strangersKey: string
  /** A job that neither key may see. */
  bystandersJob: string
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const ODD_IDS = [
  '..',
  '%2e%2e',
  '%2f',
  '%00',
  '%',
  '%zz',
  '%c3%28',
  '%ff%fe',
  '%F0%9F%92%A5',
  '__proto__',
  'constructor',
  'null',
  '*',
  "'%20or%201=1--",
  'job_',
  `job_${'0'.repeat(32)}`,
  `job_${'F'.repeat(32)}`,
  `job_${'0'.repeat(31)}`,
  `job_${'0'.repeat(33)}`,
  `job_${'a'.repeat(4_000)}`,
]
const CONTENT_TYPES = [
  'application/json; charset=utf-16',
  'application/merge-patch+json',
  'APPLICATION/JSON',
  'application/json;;;=',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/xml',
  '/',
  ';',
  '\xff\xfe',
]
const ODD_VALUES = [
  '1e400',
  '-0',
  'NaN',
  'Infinity',
  '9223372036854775807',
  '9223372036854775808',
  '1'.repeat(400),
  '5.0',
  '5.5',
  '-1',
  '"5"',
  '" 5 "',
  '"\\ud800"',
  '"\\u0000"',
  '""',
  '{"__proto__":{"a":1}}',
  '{"constructor":null,"toString":1}',
  '{"a":1,"a":2}',
  '[]',
  '[null]',
  'null',
  'true',
  '"yes"',
]

/** Valid, nearly valid and senseless requests, to every endpoint and to paths without one. */
export function requests(around: Surroundings): fc.Arbitrary<FuzzedRequest> {
  return fc
    .record({ target: targets(around), query: queries, headers: headers(around), body: bodies })
    .map(({ target: { method, path }, query, headers, body }) => ({
      method,
      path: path + query,
      headers,
      // A large body that is not read breaks the connection, and the sender may miss the reply.
      body: method !== 'POST' && body !== null && body.length > 10_000 ? null : body,
    }))
}

function targets({ endpoints, bystandersJob }: Surroundings) {
  const id = fc.oneof(
    { weight: 30, arbitrary: fc.constant('{id}') },
    { weight: 1, arbitrary: fc.constant(bystandersJob) },
    { weight: 2, arbitrary: fc.constantFrom(...ODD_IDS) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }).map(encode) },
  )
  const changing = endpoints.filter(({ method }) => method !== 'GET')
  const endpoint = fc.constantFrom(...endpoints, ...changing, ...changing, ...changing, ...changing)
  const slash = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom('', '', '/') },
    { weight: 1, arbitrary: fc.constant('//') },
  )
  const known = fc.tuple(endpoint, id, slash).map(([{ method, path }, id, slash]) => ({
    method,
    path: path.replaceAll(/\{[^}]+\}/g, () => id) + slash,
  }))
  const wrongMethod = fc
    .tuple(known, fc.constantFrom(...METHODS))
    .map(([{ path }, method]) => ({ method, path }))
  const nowhere = fc
    .tuple(fc.constantFrom(...METHODS), fc.array(fc.string({ unit: 'binary', maxLength: 12 }).map(encode)))
    .map(([method, parts]) => ({ method, path: `/${parts.join('/')}` }))
  return fc.oneof(
    { weight: 16, arbitrary: known },
    { weight: 2, arbitrary: wrongMethod },
    { weight: 1, arbitrary: nowhere },
  )
}

/** Encodes a part of a path. Half a surrogate pair becomes U+FFFD. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

const queries = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.tuple(
          fc.constantFrom('limit', 'cursor', 'status', 'job_type', 'x', '__proto__'),
          fc.oneof(
            fc.constantFrom('0', '1', '-1', '1001', '1e3', '%00', '%zz', 'null', '9'.repeat(40), ''),
            fc.string({ unit: 'binary', maxLength: 20 }).map(encode),
          ),
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((pairs) => `?${pairs.map((pair) => pair.join('=')).join('&')}`),
  },
)

/** Any bytes that a header can hold: all except control characters. */
const headerText = (maxLength: number) =>
  fc
    .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
      maxLength,
    })
    .map((codes) => String.fromCharCode(...codes))

function headers({ key, organization, strangersKey }: Surroundings) {
  const authorization = fc.oneof(
    { weight: 30, arbitrary: fc.constant(`Bearer ${key}`) },
    { weight: 1, arbitrary: fc.constant(`Bearer ${strangersKey}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        'Bearer',
        'Bearer ',
        `Basic ${key}`,
        key,
        `Bearer ${key}x`,
        `Bearer ${key},`,
      ),
    },
    { weight: 1, arbitrary: headerText(60) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
  const optional = (weight: number, value: fc.Arbitrary<string>) =>
    fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value })
  const idempotencyKey = fc.oneof(
    // Few keys, so that some are repeated with another body.
    { weight: 4, arbitrary: fc.constantFrom(...'abcdefghijklmnopqrst') },
    { weight: 2, arbitrary: headerText(40) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 255, 256, 4_000).map((length) => 'k'.repeat(length)) },
  )
  return fc
    .record({
      Authorization: authorization,
      'Content-Type': fc.oneof(
        { weight: 27, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
        { weight: 1, arbitrary: headerText(30) },
      ),
      'X-Organization-ID': optional(
        2,
        fc.oneof(
          { weight: 5, arbitrary: fc.constant(organization) },
          { weight: 1, arbitrary: headerText(30) },
          { weight: 1, arbitrary: fc.constant('') },
        ),
      ),
      'Idempotency-Key': optional(4, idempotencyKey),
      Accept: optional(
        2,
        fc.oneof(fc.constantFrom('application/x-ndjson', '*/*', 'text/html;q='), headerText(20)),
      ),
      Cookie: optional(
        1,
        headerText(40).map((text) => `stytch_session=${text}`),
      ),
      'Transfer-Encoding': optional(1, fc.constant('chunked')),
      'Content-Encoding': optional(1, fc.constantFrom('gzip', 'identity', 'x')),
    })
    .map(
      (all) =>
        Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
          string,
          string
        >,
    )
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }).map((value) => JSON.stringify(value))

/** The text of a value: mostly a valid one, sometimes an odd one. */
const mostly = (right: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 40, arbitrary: right.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_VALUES) },
    { weight: 1, arbitrary: json },
  )

/** The text of an object with some of these fields, whose values are texts already. */
const objectOf = (fields: Record<string, fc.Arbitrary<string>>, requiredKeys: string[] = []) =>
  fc
    .record(fields, { requiredKeys })
    .map((object) => `{${Object.entries(object).map(([name, value]) => `${JSON.stringify(name)}:${value}`)}}`)

const dictionary = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 })
const ENTRY = ['entity_key', 'error_type', 'message']
const entry = objectOf(
  {
    entity_key: mostly(text),
    entity_type: mostly(fc.constantFrom('job', 'product')),
    error_type: mostly(text),
    message: mostly(text),
    step: mostly(fc.option(text)),
    details: mostly(fc.option(dictionary)),
  },
  ENTRY,
)
const entries = fc.oneof(
  { weight: 40, arbitrary: fc.array(entry, { maxLength: 4 }).map((all) => `[${all}]`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(entry, fc.constantFrom(500, 501))
      .map(([one, count]) => `[${Array(count).fill(one)}]`),
  },
  { weight: 2, arbitrary: json },
)
const count = mostly(fc.nat())
const flag = mostly(fc.boolean())
const endings = mostly(fc.constant(false))
const report = objectOf({
  mark_started: flag,
  total_items: count,
  processed_items: count,
  processed_delta: count,
  counters: mostly(fc.dictionary(text, fc.nat(), { maxKeys: 4 })),
  metadata_patch: mostly(dictionary),
  stage: mostly(text),
  message: mostly(text),
  error: entry,
  warning: entry,
  errors: entries,
  warnings: entries,
  mark_completed: endings,
  unknown: json,
})
const newJob = objectOf(
  {
    job_type: mostly(text),
    total_items: count,
    metadata: mostly(dictionary),
    triggered_by: mostly(fc.option(text)),
    unknown: json,
  },
  ['job_type', 'total_items'],
)
const ending = fc.constantFrom('{"mark_completed":true}', '{"mark_failed":"so"}', '{"mark_failed":""}')
const right = fc.oneof(
  { weight: 8, arbitrary: report },
  { weight: 4, arbitrary: newJob },
  { weight: 2, arbitrary: ending },
)

/** A text with a piece cut out, doubled or replaced. */
const mangled = fc
  .tuple(
    right,
    fc.nat(),
    fc.nat({ max: 12 }),
    fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 4 })),
  )
  .map(([text, place, length, put]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + put + text.slice(at + length)
  })

const nested = fc
  .tuple(fc.constantFrom(400, 501, 20_000), fc.constantFrom('[', '{"a":'))
  .map(([depth, open]) => {
    const close = open === '[' ? ']' : '}'
    return `{"metadata_patch":{"deep":${open.repeat(depth)}1${close.repeat(depth)}}}`
  })

const bodies: fc.Arbitrary<Uint8Array | string | null> = fc.oneof(
  { weight: 90, arbitrary: right },
  { weight: 15, arbitrary: mangled },
  { weight: 5, arbitrary: json },
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  { weight: 3, arbitrary: right.map((text) => Buffer.from(`\ufeff${text}`, 'utf16le')) },
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: nested },
  {
    weight: 1,
    arbitrary: fc.constantFrom(70_000, 1_000_000).map((length) => `{"stage":"${'s'.repeat(length)}"}`),
  },
)
