import { describe, expect, test } from 'vitest'
import type { Problem } from '../../src/http/reply/validation-error.ts'
import recorded from '../edge/recorded-examples.jsonl?raw'
import { post, type Reply, sorted } from './validation-app.ts'

interface Example {
  name: string
  path: string
  headers: Record<string, string>
  raw_body: string | null
  expected_status: number
  /** null: only the status was recorded. */
  expected_json: Reply['json']
}

const examples = recorded
  .trim()
  .split('\n')
  .map((line): Example => JSON.parse(line))
  // Validation does not look for the job.
  .filter(({ expected_status }) => expected_status !== 404)

/** Each parser has its own position and text for a syntax error. */
function comparable(problems: Problem[]): Problem[] {
  return sorted(problems).map((problem) =>
    problem.type === 'json_invalid' ? { ...problem, loc: ['body'], ctx: {} } : problem,
  )
}

describe('A body gets the reply that the original gave', () => {
  test.each(examples)('$name → $expected_status', async ({ path, headers, raw_body, ...expected }) => {
    const { status, json } = await post(path.replace('{JOB_ID}', 'job_1'), raw_body, headers)
    expect(status).toBe(expected.expected_status)
    if (status !== 422 || expected.expected_json === null) return
    expect(comparable(json.detail)).toEqual(comparable(expected.expected_json.detail))
  })

  test('and there are examples of accepted and refused bodies', () => {
    expect(examples.filter((example) => example.expected_status === 422).length).toBeGreaterThan(40)
    expect(examples.filter((example) => example.expected_status === 200).length).toBeGreaterThan(20)
  })
})
