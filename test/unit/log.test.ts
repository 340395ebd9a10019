import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { logError, logRefusal } from '../../src/log.ts'

let lines: string[]

beforeEach(() => {
  lines = []
  for (const method of ['error', 'warn'] as const)
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(line))
})
afterEach(() => void vi.restoreAllMocks())

/** The log line of an error, which is the only one. */
function lineOf(error: unknown): Record<string, unknown> {
  logError('broken', {}, error)
  expect(lines).toHaveLength(1)
  return JSON.parse(lines.pop() ?? '')
}

describe('A logged error has its kind and its place', () => {
  test('with the place where it was made, innermost first', () => {
    function whereItBroke() {
      return new TypeError('no')
    }
    const { error, at } = lineOf(whereItBroke())
    expect(error).toBe('TypeError')
    expect(at).toHaveLength(6)
    expect(at).toEqual(expect.arrayContaining([expect.stringMatching(/^at .*log\.test\.ts:\d+:\d+\)?$/)]))
    expect((at as string[])[0]).toContain('whereItBroke')
  })

  test('but only its type if it is not an error', () => {
    expect(lineOf('secret')).toEqual({ event: 'broken', error: 'string' })
    expect(lineOf(undefined)).toEqual({ event: 'broken', error: 'undefined' })
  })

  test('with the message of D1, even as the cause of a cause', () => {
    const d1 = new Error('D1_ERROR: no such table: jobs: SQLITE_ERROR')
    const query = new Error('Failed query: select … params: secret', { cause: new Error('x', { cause: d1 }) })
    expect(lineOf(query).said).toBe('D1_ERROR: no such table: jobs: SQLITE_ERROR')
  })

  test('but without the value that D1 refused', () => {
    const d1 = new Error("D1_TYPE_ERROR: Type 'object' not supported for value 'secret,\nsecret'")
    expect(lineOf(d1).said).toBe("D1_TYPE_ERROR: Type 'object' not supported")
  })

  test('even if it is its own cause', () => {
    const error = new Error('round')
    error.cause = new Error('and round', { cause: error })
    expect(lineOf(error).error).toBe('Error')
  })
})

describe('A customer’s text does not reach the log', () => {
  const MARK = 'CUSTOMER'
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ unit: 'grapheme', maxLength: 10 }).map((text) => `${MARK}${text}`),
    fc.constantFrom(
      `    at ${MARK}-7`,
      `    at ${MARK} (index.js:1:2)`,
      `at async ${MARK}.run (file:///src/index.ts:10:20)`,
      `    at ${MARK}:1:2`,
      `Error: ${MARK}`,
      `${MARK}: `,
      '    at ',
      '',
    ),
  )
  const text = fc
    .array(line, { maxLength: 6 })
    .chain((all) => fc.constantFrom('\n', '\r\n', '\u2028').map((end) => all.join(end)))

  class QueryError extends Error {
    override name = 'QueryError'
  }
  class NamedByTheCustomer extends Error {}

  const error = fc.record({
    make: fc.constantFrom(
      (message: string) => new Error(message),
      (message: string) => new RangeError(message),
      (message: string) => new QueryError(message),
      (message: string) => new AggregateError([new Error(message)], message),
      (message: string) => new DOMException(message, 'AbortError'),
    ),
    message: text,
    cause: fc.option(text, { nil: undefined }),
    causeOfCause: fc.option(text, { nil: undefined }),
  })

  test('through the message of an error or its causes, even if it imitates a stack trace', () => {
    fc.assert(
      fc.property(error, ({ make, message, cause, causeOfCause }) => {
        const broken = make(message)
        if (cause !== undefined) {
          const inner = make(cause)
          if (causeOfCause !== undefined) inner.cause = make(causeOfCause)
          broken.cause = inner
        }
        const said = lineOf(broken)
        expect(JSON.stringify(said)).not.toContain(MARK)
        // The rest of the trace is still there.
        expect(said.at).toEqual(expect.arrayContaining([expect.stringContaining('log.test.ts')]))
        logRefusal({ status: 500, reason: 'failed' }, broken)
        expect(lines.pop()).not.toContain(MARK)
      }),
      { numRuns: 1_000 },
    )
  })

  test('through the name of an error or its class', () => {
    fc.assert(
      fc.property(text, text, fc.boolean(), (name, message, isOfClass) => {
        const target = isOfClass ? NamedByTheCustomer.prototype : undefined
        if (target) target.name = `${MARK}${name}`
        const broken = new NamedByTheCustomer(message)
        if (!target) broken.name = `${MARK}${name}`
        expect(JSON.stringify(lineOf(broken))).not.toContain(MARK)
      }),
    )
  })

  test.each(['', 'x', MARK])('through a message that was changed to %j later', (message) => {
    const changed = new Error(`${MARK}\n    at ${MARK}-7`)
    changed.message = message
    expect(JSON.stringify(lineOf(changed))).not.toContain(MARK)
  })
})
