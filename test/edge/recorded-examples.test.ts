import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../scripts/edge.ts'
import type { Problem } from '../../src/http/reply/validation-error.ts'
import { aCaller, TIME } from './fixtures.ts'
import { call, entryBytes, startEdge } from './harness.ts'

interface Example {
  name: string
  method: string
  path: string
  headers: Record<string, string>
  raw_body: string | null
  expected_status: number
  /** null: only the status was recorded. */
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
 * Where our rules differ from the original: a job that was never started counts as started when it completed, and a
 * warning about the job itself is not a warned item.
 */
const departures: Record<string, object> = {
  'valid.mark_completed_with_warning': {
    started_at: '<timestamp>',
    duration_seconds: 0,
    warned_items: 0,
  },
}

/** The fields that our jobs have and the original's lack. */
function additions({ expected_status, expected_json: job }: Example): object {
  if (expected_status !== 200) return {}
  const { stage } = job.metadata
  return {
    error_count: job.errors.length,
    warning_count: job.warnings.length,
    counters: {},
    counters_not_kept: 0,
    labels: {},
    parent_job_id: null,
    start_within_seconds: null,
    finish_within_seconds: null,
    late_at: null,
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
  key = (await aCaller(edge)).key
})
afterAll(() => edge?.dispose())

/** Sends an example about a new job, with a valid key in place of the example's credential. */
async function send({ method, path, headers, raw_body }: Example) {
  const newJob = { job_type: 'enrichment', total_items: 10, metadata: { seed: 1 } }
  const { body: job } = await call(edge, key, 'POST', '/api/jobs/', newJob)
  const { Authorization: _, ...others } = headers
  // As bytes, because `call` adds a content type to text.
  const bytes = raw_body === null ? undefined : new TextEncoder().encode(raw_body)
  return await call(edge, key, method, path.replace('{JOB_ID}', job.job_id), bytes, others)
}

/** Problems in a fixed order, because theirs is not promised. Each parser has its own position and text for a syntax error. */
function comparable(problems: Problem[]): Problem[] {
  return problems
    .map((problem) => (problem.type === 'json_invalid' ? { ...problem, loc: ['body'], ctx: {} } : problem))
    .toSorted((a, b) => (JSON.stringify([a.loc, a.type]) < JSON.stringify([b.loc, b.type]) ? -1 : 1))
}

/** A recorded value, with matchers for what differs from run to run. */
function asShape(value: unknown): unknown {
  if (value === '<timestamp>') return TIME
  if (value === '<job_id>') return expect.stringMatching(/^job_[0-9a-f]{32}$/)
  if (Array.isArray(value)) return value.map(asShape)
  if (typeof value !== 'object' || value === null) return value
  // Defined, not assigned: `__proto__` is an ordinary key.
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asShape(field)]))
}

describe('The edge replies as the original did', () => {
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

  test('to a hundred examples, some accepted and some refused', () => {
    expect(examples).toHaveLength(100)
    expect(new Set(examples.map(({ expected_status }) => expected_status))).toEqual(new Set([200, 404, 422]))
  })
})

/** Every key of a value, including `__proto__`, which `toEqual` may ignore. */
function ownNames(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.keys(value)
    .flatMap((name) => {
      const place = `${path}/${name}`
      return [place, ...ownNames(Object.getOwnPropertyDescriptor(value, name)?.value, place)]
    })
    .toSorted()
}
