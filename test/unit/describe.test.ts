import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { endpoints } from '../../src/endpoints/all.ts'
import list from '../../src/endpoints/all.ts?raw'
import { JOB_STATUSES } from '../../src/jobs/job.ts'
import { describe as describeApi } from '../../src/openapi/describe.ts'

interface Operation {
  operationId: string
  description: string
  security: unknown[]
  responses: Record<string, unknown>
}

const description = describeApi(endpoints)
const text = JSON.stringify(description)
const operations = Object.entries(description.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

test('The list of endpoints has every file of src/endpoints', () => {
  const listed = [...list.matchAll(/ from '\.\/(.+)'/g)].map(([, file]) => file)
  const files = readdirSync('src/endpoints').filter((file) => file !== 'all.ts')
  expect(listed.toSorted()).toEqual(files.toSorted())
})

test('The description has every route that the app serves, and no other', () => {
  const served = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const described = operations.map(
    ({ method, path }) => `${method.toUpperCase()} ${path.replace(/(?<=.)\/$/, '')}`,
  )
  expect(described.toSorted()).toEqual([...new Set(served)].toSorted())
  // Only middleware is mounted for all methods: a route that took them all would not be described.
  const forAll = app.routes.filter(({ method }) => method === 'ALL').map(({ path }) => path)
  expect(new Set(forAll)).toEqual(new Set(['/*']))
})

test('Each operation has an ID of its own', () => {
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
})

test('Each component is referred to, and each reference has its component', () => {
  const references = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name)
  expect([...new Set(references)].toSorted()).toEqual(Object.keys(description.components.schemas).toSorted())
})

test('Every property of every component says what it is', () => {
  for (const [name, { properties = {} }] of Object.entries(description.components.schemas)) {
    for (const [property, schema] of Object.entries(properties))
      expect(schema, `${name}.${property}`).toHaveProperty('description')
  }
})

test('What a field is bound by is said in words', () => {
  expect(description.components.schemas.JobProgressRequest?.properties).toMatchObject({
    stage: { description: expect.stringMatching(/At most 4,096 characters\.$/) },
    metadata_patch: { description: expect.stringMatching(/At most 65,536 bytes as JSON\.$/) },
    errors: { anyOf: [{ maxItems: 500 }, { type: 'null' }] },
  })
})

test('The status of the job is described as a header of every reply to a report, whether it is taken or not', () => {
  const responses = description.paths['/api/jobs/{job_id}/progress']?.post as Operation
  const withHeader = Object.entries(responses.responses).filter(([, response]) =>
    JSON.stringify(response).includes('"headers":{"Job-Status":'),
  )
  expect(withHeader.map(([status]) => status)).toEqual(['200', '409'])
})

test('An Idempotency-Key is described as it is checked', () => {
  const taking = operations.filter(({ operation }) => JSON.stringify(operation).includes('"Idempotency-Key"'))
  expect(taking.map(({ operation }) => operation.operationId)).toEqual(['create_job', 'report_job_progress'])
  for (const { operation } of taking)
    expect(JSON.stringify(operation)).toContain('"minLength":1,"maxLength":255,"pattern":"^[ -~]{1,255}$"')
})

test('A list of values in the query is described as a list', () => {
  const { parameters } = (description.paths['/api/jobs/']?.get ?? {}) as { parameters: { name: string }[] }
  expect(parameters.find(({ name }) => name === 'status')).toMatchObject({
    schema: { type: 'array', items: { type: 'string', enum: [...JOB_STATUSES] } },
  })
})

describe.each(endpoints.filter(({ body }) => body !== undefined))('The example of $id', ({ body }) => {
  test('is valid, and names no field that there is not', () => {
    const { schema, example = {} } = body ?? {}
    const parsed = schema?.safeParse(example)
    expect(parsed?.error?.issues).toBeUndefined()
    expect(Object.keys(parsed?.data as object)).toEqual(expect.arrayContaining(Object.keys(example)))
  })
})
