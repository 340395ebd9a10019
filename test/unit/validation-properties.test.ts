import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scanJson } from '../../src/http/body/scan-json.ts'
import { CREATE, post, REPORT, type Reply } from './validation-app.ts'

const FIELDS = [
  ...[
    'mark_started',
    'total_items',
    'processed_items',
    'metadata_patch',
    'stage',
    'message',
    'error',
    'warning',
  ],
  ...[
    'errors',
    'warnings',
    'mark_completed',
    'mark_failed',
    'entity_key',
    'entity_type',
    'error_type',
    'step',
  ],
  ...['details', 'job_type', 'metadata', 'triggered_by', '__proto__', 'constructor', '1'],
]

/** JSON values whose objects often use the names of our fields: otherwise most would fail the first check. */
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.double(),
      fc.boolean(),
      fc.nat(),
      fc.string({ unit: 'binary' }),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(fc.constantFrom(...FIELDS), tie('value')), { maxLength: 8 }).map(
      // Text instead of an object, because it may hold any key.
      (pairs) => new Map(pairs),
    ),
  ),
}))

/** As Python writes it: NaN and infinities spelled out, half surrogates escaped. */
function write(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`
  if (value instanceof Map) {
    return `{${Array.from(value, ([key, item]) => `${JSON.stringify(key)}:${write(item)}`).join(',')}}`
  }
  return JSON.stringify(value)
}

function expectWellFormed({ status, json }: Reply): void {
  expect([200, 400, 413, 422]).toContain(status)
  if (status === 200) return
  if (status !== 422) {
    expect(json).toStrictEqual({ detail: expect.any(String) })
    return
  }
  expect(json.detail.length).toBeGreaterThan(0)
  for (const problem of json.detail) {
    expect(problem).toStrictEqual({
      type: expect.stringMatching(/^[a-z_]+$/),
      loc: expect.any(Array),
      msg: expect.stringMatching(/^[^\n]+$/),
      // Not any(): that does not match null, which is a valid input.
      input: problem.input,
      ...('ctx' in problem && { ctx: expect.any(Object) }),
    })
    expect(problem).toHaveProperty('input')
    expect(problem.loc[0]).toBe('body')
  }
}

test('any JSON is accepted or refused with well-formed problems', async () => {
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(anyValue, fc.constantFrom(REPORT, CREATE), async (value, path) => {
      const answer = await post(path, write(value))
      seen.add(answer.status)
      expectWellFormed(answer)
    }),
    { numRuns: 2000 },
  )
  expect(seen).toContain(422)
})

test('any bytes are refused with well-formed problems', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
      expectWellFormed(await post(REPORT, new Uint8Array(bytes)))
    }),
    { numRuns: 2000 },
  )
})

test('the scan finds a fault exactly in the texts that JSON.parse refuses', () => {
  const broken = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.nat(2), fc.constantFrom(...'{}[]",:\\ue-.0 1Nn\n', ''))
    .map(([text, where, drop, insert]) => {
      const at = where % (text.length + 1)
      return text.slice(0, at) + insert + text.slice(at + drop)
    })
  const seen = new Set<boolean>()
  fc.assert(
    fc.property(fc.oneof(broken, fc.json(), fc.string()), (text) => {
      const scan = scanJson(text)
      let isJson = true
      try {
        JSON.parse(text)
      } catch {
        isJson = false
      }
      seen.add(isJson)
      expect(scan.ok && scan.strays.length === 0).toBe(isJson)
      if (!scan.ok) expect(scan.position).toBeLessThanOrEqual(text.length)
    }),
    { numRuns: 5000 },
  )
  expect(seen.size).toBe(2)
})
