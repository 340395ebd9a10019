import { describe, expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { openapiDocument } from '../../src/openapi/document.ts'
import { operations } from '../../src/openapi/operations.ts'

/** What is said of one field or list item: the names of the types it takes. */
interface Said {
  type?: string | string[]
  anyOf?: Said[]
  items?: Said
  $ref?: string
  default?: unknown
  minimum?: number
}

interface SaidOfObject {
  properties: Record<string, Said>
  required?: string[]
}

interface SaidOfOperation {
  operationId: string
  security: unknown[]
  responses: object
}

const document = openapiDocument()
const paths = document.paths as unknown as Record<string, Record<string, SaidOfOperation>>
const components = document.components.schemas as unknown as Record<string, SaidOfObject>

function component(name: string): SaidOfObject {
  const found = components[name]
  if (!found) throw new Error(`The document has no component ${name}`)
  return found
}

/** The types in one notation, however the schema words them: `string | null`, `[JobErrorResponse]`. */
function typesOf({ $ref, anyOf, items, type }: Said): string {
  if ($ref !== undefined) return $ref.replace('#/components/schemas/', '')
  if (anyOf !== undefined) return anyOf.map(typesOf).join(' | ')
  if (items !== undefined) return `[${typesOf(items)}]`
  return [type].flat().join(' | ')
}

function fieldsOf(name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(component(name).properties).map(([field, said]) => [field, typesOf(said)]),
  )
}

/** The published contract, field by field. */
const contract: Record<string, { fields: Record<string, string>; required: string[] }> = {
  JobProgressRequest: {
    fields: {
      error: 'JobProgressErrorBody | null',
      mark_completed: 'boolean',
      mark_failed: 'string | null',
      mark_started: 'boolean',
      message: 'string | null',
      metadata_patch: 'object | null',
      processed_items: 'integer | null',
      stage: 'string | null',
      total_items: 'integer | null',
      warning: 'JobProgressErrorBody | null',
    },
    required: [],
  },
  JobProgressErrorBody: {
    fields: {
      details: 'object | null',
      entity_key: 'string',
      entity_type: 'string',
      error_type: 'string',
      message: 'string',
      step: 'string | null',
    },
    required: ['entity_key', 'error_type', 'message'],
  },
  JobResponse: {
    fields: {
      completed_at: 'string | null',
      created_at: 'string | null',
      duration_seconds: 'number | null',
      error_message: 'string | null',
      errors: '[JobErrorResponse]',
      failed_items: 'integer',
      job_id: 'string',
      job_type: 'string',
      metadata: 'object | null',
      processed_items: 'integer',
      progress_percentage: 'number',
      started_at: 'string | null',
      status: 'string',
      success_rate: 'number',
      total_items: 'integer',
      triggered_by: 'string | null',
      warned_items: 'integer',
      warnings: '[JobErrorResponse]',
    },
    required: [
      'failed_items',
      'job_id',
      'job_type',
      'processed_items',
      'progress_percentage',
      'status',
      'success_rate',
      'total_items',
    ],
  },
  JobErrorResponse: {
    fields: {
      details: 'object | null',
      entity_key: 'string',
      entity_type: 'string',
      error_type: 'string',
      message: 'string',
      step: 'string | null',
      timestamp: 'string',
    },
    required: ['entity_key', 'entity_type', 'error_type', 'message', 'timestamp'],
  },
}

/** Fields that we take beyond the contract, all of them optional. */
const additions: Record<string, Record<string, string>> = {
  JobProgressRequest: {
    errors: '[JobProgressErrorBody] | null',
    warnings: '[JobProgressErrorBody] | null',
  },
  JobResponse: {
    callback_url: 'string | null',
    error_count: 'integer',
    eta_seconds: 'number | null',
    entities_not_kept: 'integer',
    entries_not_kept: 'integer',
    rate_per_second: 'number | null',
    stages: '[object]',
    stall_after_seconds: 'integer | null',
    stalled_at: 'string | null',
    warning_count: 'integer',
  },
}

describe('The document', () => {
  test('describes every route of the app, and no other', () => {
    const { routes } = app
    const handlers = routes.filter(({ method }) => method !== 'ALL')
    const served = handlers.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    const described = operations.map(
      ({ method, path }) => `${method.toUpperCase()} ${path.replace(/(?<=.)\/$/, '')}`,
    )
    expect(described.toSorted()).toEqual([...new Set(served)].toSorted())
    // Middleware alone is there for all methods; an endpoint that took them all would be in nobody's list.
    expect(new Set(routes.filter(({ method }) => method === 'ALL').map(({ path }) => path))).toEqual(
      new Set(['/*']),
    )
  })

  test('holds each operation at its path, under an id of its own', () => {
    expect(operations.map(({ method, path }) => paths[path]?.[method]?.operationId)).toEqual(
      operations.map(({ id }) => id),
    )
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
  })

  test('refers to nothing that it does not hold', () => {
    const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)
    for (const [, name] of references) expect(Object.keys(components)).toContain(name)
  })

  test('says what an Idempotency-Key may be', () => {
    const taking = operations.filter(({ idempotent }) => idempotent)
    expect(taking).not.toEqual([])
    for (const { method, path } of taking) {
      const parameters = JSON.stringify(paths[path]?.[method])
      expect(parameters).toContain('"minLength":1,"maxLength":255,"pattern":"^[ -~]{1,255}$"')
    }
  })

  test('says of every endpoint but the public ones that it needs a credential, and what it refuses with', () => {
    for (const { id, method, path, permission } of operations) {
      const described = paths[path]?.[method]
      expect(described?.security.length, id).toBe(permission === null ? 0 : 2)
      const statuses = Object.keys(described?.responses ?? {})
      if (permission === null) expect(statuses, id).toEqual(['200'])
      else
        expect(statuses, id).toEqual(
          expect.arrayContaining(['200', '400', '401', '403', '404', '429', '503']),
        )
      if (method === 'post') expect(statuses, id).toEqual(expect.arrayContaining(['400', '413', '422']))
    }
  })
})

describe.each(Object.entries(contract))('%s', (name, { fields, required }) => {
  test('has the fields of the contract with their types, and no others but our additions', () => {
    expect(fieldsOf(name)).toEqual({ ...fields, ...additions[name] })
  })

  test('requires what the contract requires', () => {
    expect((component(name).required ?? []).toSorted()).toEqual(required)
  })
})

describe('As in the contract', () => {
  test('what has a default, has the same', () => {
    const defaultsOf = (name: string) =>
      Object.entries(component(name).properties)
        .filter(([, said]) => 'default' in said)
        .map(([field, said]) => [field, said.default])
    expect(Object.fromEntries(defaultsOf('JobProgressRequest'))).toEqual({
      mark_started: false,
      mark_completed: false,
    })
    expect(Object.fromEntries(defaultsOf('JobProgressErrorBody'))).toEqual({ entity_type: 'job' })
    expect(Object.fromEntries(defaultsOf('JobResponse'))).toEqual({ warned_items: 0 })
  })

  test('counts in a report start at 0', () => {
    for (const field of ['total_items', 'processed_items']) {
      const [integer] = component('JobProgressRequest').properties[field]?.anyOf ?? []
      expect(integer?.minimum, field).toBe(0)
    }
  })

  test('progress is reported at POST /api/jobs/{job_id}/progress, as report_job_progress', () => {
    const reporting = operations.find(({ id }) => id === 'report_job_progress')
    expect(reporting).toMatchObject({
      method: 'post',
      path: '/api/jobs/{job_id}/progress',
      permission: 'job:create',
      body: 'JobProgressRequest',
      reply: 'JobResponse',
    })
  })
})
