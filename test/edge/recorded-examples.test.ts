import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import type { Problem } from '../../src/http/reply/validation-error.ts'
import { call, entryBytes, freshOrganization, issueKey, startEdge } from './harness.ts'

interface Example {
  name: string
  method: string
  path: string
  headers: Record<string, string>
  raw_body: string | null
  expected_status: number
  /** null: of this reply only the status was recorded. */
  expected_json: {
    detail: Problem[]
    errors: object[]
    warnings: object[]
    metadata: Record<string, unknown>
  }
}

const examples = readFileSync(join(import.meta.dirname, 'recorded-examples.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Example => JSON.parse(line))

/**
 * Where our rules differ from what the original did: a job that was never started is taken to have started when it
 * completed, and a warning about the job itself is no warned item.
 */
const departures: Record<string, object> = {
  'valid.mark_completed_with_warning': {
    started_at: '<timestamp>',
    duration_seconds: 0,
    warned_items: 0,
  },
}

/** What a job of ours has beyond the original's. */
function additions({ expected_status, expected_json: job }: Example): object {
  if (expected_status !== 200) return {}
  const { stage } = job.metadata
  return {
    error_count: job.errors.length,
    warning_count: job.warnings.length,
    entities_not_kept: 0,
    entries_not_kept: 0,
    entry_bytes: entryBytes([...job.errors, ...job.warnings]),
    eta_seconds: null,
    rate_per_second: null,
    stall_after_seconds: null,
    stalled_at: null,
    callback_url: null,
    stages: stage === undefined ? [] : [{ stage, started_at: '<timestamp>' }],
  }
}

let edge: Edge
let key: string

beforeAll(async () => {
  edge = await startEdge()
  key = (await issueKey(edge, { org: freshOrganization() })).key
})
afterAll(() => edge?.dispose())

/** Sends an example about a job of its own; a key that is valid takes the place of the example's credential. */
async function send({ method, path, headers, raw_body }: Example) {
  const order = { job_type: 'enrichment', total_items: 10, metadata: { seed: 1 } }
  const { body: job } = await call(edge, key, 'POST', '/api/jobs/', order)
  const { Authorization: _, ...others } = headers
  // As bytes, so that no content type comes of itself.
  const bytes = raw_body === null ? undefined : new TextEncoder().encode(raw_body)
  return await call(edge, key, method, path.replace('{JOB_ID}', job.job_id), bytes, others)
}

/** Problems in one fixed order, as theirs is nobody's promise. Position and text of a syntax error are each parser's own. */
function comparable(problems: Problem[]): Problem[] {
  return problems
    .map((problem) => (problem.type === 'json_invalid' ? { ...problem, loc: ['body'], ctx: {} } : problem))
    .toSorted((a, b) => (JSON.stringify([a.loc, a.type]) < JSON.stringify([b.loc, b.type]) ? -1 : 1))
}

/** A recorded value, with what differs from run to run told by its shape. */
function asShape(value: unknown): unknown {
  if (value === '<timestamp>') return expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  if (value === '<job_id>') return expect.stringMatching(/^job_[0-9a-f]{32}$/)
  if (Array.isArray(value)) return value.map(asShape)
  if (typeof value !== 'object' || value === null) return value
  // Defined and not assigned: `__proto__` is a key like others.
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asShape(field)]))
}

describe('What the original answered, the edge answers', () => {
  test.each(examples)('$name → $expected_status', async (example) => {
    const { status, body, headers, text } = await send(example)
    expect({ status, text }).toEqual({ status: example.expected_status, text: expect.any(String) })
    expect(headers.get('Content-Type')).toBe('application/json')
    if (example.expected_json === null) return
    if (status === 422) {
      expect(comparable(body.detail)).toStrictEqual(comparable(example.expected_json.detail))
    } else {
      const expected = { ...example.expected_json, ...departures[example.name], ...additions(example) }
      expect(body).toStrictEqual(asShape(expected))
      expect(ownNames(body)).toEqual(ownNames(expected))
    }
  })

  test('there are a hundred of them, accepted and refused ones', () => {
    expect(examples).toHaveLength(100)
    expect(new Set(examples.map(({ expected_status }) => expected_status))).toEqual(new Set([200, 404, 422]))
  })
})

/** Every key of a value, `__proto__` too, which equality may pass over. */
function ownNames(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.keys(value)
    .flatMap((name) => {
      const place = `${path}/${name}`
      return [place, ...ownNames(Object.getOwnPropertyDescriptor(value, name)?.value, place)]
    })
    .toSorted()
}
