import { describe, expect, test } from 'vitest'
import { endpoints } from '../../src/endpoints/all.ts'
import { describe as describeApi } from '../../src/openapi/describe.ts'
import contract from './contract-shapes.json' with { type: 'json' }

/** The published contract of `report_job_progress`, without its prose, is held against what the edge describes. */

interface Shape {
  properties: Record<string, unknown>
  required?: string[]
}

const description = describeApi(endpoints)
const schemas = withoutProse(description.components.schemas, true) as Record<string, Shape>
const operation = withoutProse(description.paths['/api/jobs/{job_id}/progress']?.post) as {
  parameters: { name: string; required: boolean }[]
  requestBody: unknown
  responses: Record<string, unknown>
}

/** What is left of a description without its words and examples. A property may be called `description` all the same. */
function withoutProse(value: unknown, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutProse(item))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([key]) => isNames || !['description', 'summary', 'example'].includes(key),
  )
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, withoutProse(inner, key === 'properties' && !isNames)]),
  )
}

/** The optional properties that we add to the contract's. */
const ADDED: Record<string, string[]> = {
  JobProgressRequest: ['counters', 'errors', 'processed_delta', 'warnings'],
  JobResponse: [
    'callback_url',
    'counters',
    'counters_not_kept',
    'entities_not_kept',
    'entries_not_kept',
    'entry_bytes',
    'error_count',
    'eta_seconds',
    'finish_within_seconds',
    'labels',
    'late_at',
    'parent_job_id',
    'rate_per_second',
    'stages',
    'stall_after_seconds',
    'stalled_at',
    'start_within_seconds',
    'warning_count',
  ],
}

describe.each(Object.entries(contract.schemas as unknown as Record<string, Shape>))(
  '%s',
  (name, expected) => {
    const { properties, ...rest } = schemas[name] ?? { properties: {} }
    const added = Object.keys(properties).filter((property) => !(property in expected.properties))

    test('is as the contract has it, but for added properties', () => {
      const common = Object.entries(properties).filter(([property]) => !added.includes(property))
      expect({ ...rest, properties: Object.fromEntries(common) }).toStrictEqual(expected)
    })

    test('gains only the properties that we know of, all of them optional', () => {
      expect(added.toSorted()).toEqual(ADDED[name] ?? [])
      for (const property of added) expect(rest.required ?? []).not.toContain(property)
    })
  },
)

describe('report_job_progress', () => {
  const { parameters, responses, ...rest } = operation
  const { parameters: expectedParameters, responses: expectedResponses, ...expected } = contract.operation

  test('is as the contract has it', () => {
    const { security, ...described } = rest as typeof rest & { security: unknown }
    expect(described).toStrictEqual(expected)
    // The contract names the header and the cookie as parameters only. Generated clients need the schemes.
    expect(security).toEqual([{ serverApiKey: [] }, { session: [] }])
  })

  test('takes the parameters of the contract, and an optional key', () => {
    const [key, ...more] = parameters.slice(expectedParameters.length)
    expect(parameters.slice(0, expectedParameters.length)).toStrictEqual(expectedParameters)
    expect(key).toMatchObject({ name: 'Idempotency-Key', required: false })
    expect(more).toEqual([])
  })

  test('answers as the contract has it, and names more refusals', () => {
    expect(responses).toMatchObject(expectedResponses)
    expect(Object.keys(responses)).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '422',
      '429',
      '503',
    ])
  })
})
