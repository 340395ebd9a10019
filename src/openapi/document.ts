import { componentSchemas } from '../http/component-schemas.ts'
import { NewJobBody } from '../routes/new-job-body.ts'
import { EntryBody, ReportBody } from '../routes/report-body.ts'
import { type Operation, operations, refusalTexts } from './operations.ts'
import * as replies from './replies.ts'

export const schemas = {
  JobProgressRequest: ReportBody,
  JobProgressErrorBody: EntryBody,
  NewJobRequest: NewJobBody,
  ...replies,
}

/** The OpenAPI description of the whole API, made from the very schemas that requests are validated by. */
export function openapiDocument() {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Milepost',
      version: '0.1.0',
      description: 'Jobs of a merchant platform: workers report their progress, anyone allowed may watch.',
    },
    paths,
    components: {
      schemas: componentSchemas(schemas),
      securitySchemes: {
        serverApiKey: { type: 'http', scheme: 'bearer', description: 'A server API key: mp_…' },
      },
    },
  }
}

function describe({ id, summary, description, path, permission, body, reply, refusals }: Operation) {
  const needs = permission === null ? '' : `\n\nNeeds the permission \`${permission}\`.`
  return {
    operationId: id,
    tags: [permission === null ? 'Service' : 'Jobs'],
    summary,
    description: description + needs,
    security: permission === null ? [] : [{ serverApiKey: [] }],
    parameters: permission === null ? [] : parametersOf(path),
    ...(body && { requestBody: { required: true, content: jsonOf(body) } }),
    responses: {
      200: { description: 'Successful Response', content: jsonOf(reply) },
      ...Object.fromEntries(
        [...(permission === null ? [] : ([401, 403] as const)), ...refusals].map((status) => [
          status,
          {
            description: refusalTexts[status],
            content: jsonOf(status === 422 ? 'HTTPValidationError' : 'ErrorResponse'),
          },
        ]),
      ),
    },
  }
}

function parametersOf(path: string) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  return [
    ...names.map((name) => ({ in: 'path', name, required: true, schema: { type: 'string' } })),
    {
      in: 'header',
      name: 'X-Organization-ID',
      required: false,
      description: 'Where sent, it must name an organisation of the credential',
      schema: { type: 'string' },
    },
  ]
}

function jsonOf(schema: keyof typeof schemas) {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}
