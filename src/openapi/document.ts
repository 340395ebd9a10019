import { RETRY_KEY } from '../http/idempotent.ts'
import { componentSchema, componentSchemas } from './component-schemas.ts'
import { guardedRefusals, type Operation, operations, refusalTexts } from './operations.ts'
import { type SchemaName, schemas } from './schemas.ts'

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
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'stytch_session',
          description: 'A session of a Stytch B2B project, where the edge has one configured',
        },
      },
    },
  }
}

function describe(operation: Operation) {
  const { id, summary, description, permission, body, refusals } = operation
  const needs = permission === null ? '' : `\n\nNeeds the permission \`${permission}\`.`
  return {
    operationId: id,
    tags: [permission === null ? 'Service' : 'Jobs'],
    summary,
    description: description + needs,
    security: permission === null ? [] : [{ serverApiKey: [] }, { session: [] }],
    parameters: parametersOf(operation),
    ...(body && { requestBody: { required: true, content: jsonOf(body) } }),
    responses: {
      200: { description: 'Successful Response', content: contentOf(operation) },
      ...Object.fromEntries(
        [...(permission === null ? [] : guardedRefusals), ...refusals].map((status) => [
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

function parametersOf({ path, permission, query, idempotent }: Operation) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const { properties = {} } = query ? componentSchema(query) : {}
  return [
    ...names.map((name) => ({ in: 'path', name, required: true, schema: { type: 'string' } })),
    ...Object.entries(properties).map(([name, schema]) => ({ in: 'query', name, required: false, schema })),
    ...(permission === null ? [] : [ORGANIZATION]),
    ...(idempotent ? [IDEMPOTENCY_KEY] : []),
  ]
}

const ORGANIZATION = {
  in: 'header',
  name: 'X-Organization-ID',
  required: false,
  description: 'Where sent, it must name an organisation of the credential; needed where it has several',
  schema: { type: 'string' },
}

const IDEMPOTENCY_KEY = {
  in: 'header',
  name: 'Idempotency-Key',
  required: false,
  description:
    'Printable ASCII. Sent again with the same body within 24 hours, the request is applied once and answered the same',
  schema: RETRY_KEY,
}

function contentOf({ reply, media, streams }: Operation) {
  return {
    ...jsonOf(reply, media),
    ...(streams && { 'application/x-ndjson': { schema: { type: 'string' } } }),
  }
}

function jsonOf(schema: SchemaName, media = 'application/json') {
  return { [media]: { schema: { $ref: `#/components/schemas/${schema}` } } }
}
