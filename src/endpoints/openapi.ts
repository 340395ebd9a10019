import { z } from 'zod'
import { component } from '../http/component.ts'
import { type Endpoint, endpoint } from '../http/endpoint.ts'
import { describe } from '../openapi/describe.ts'

const part = (description: string) => z.record(z.string(), z.unknown()).describe(description)

const OpenapiResponse = component(
  'OpenapiResponse',
  z
    .looseObject({
      openapi: z.string().describe('The version of OpenAPI'),
      info: part('The title and version of the API'),
      paths: part('The endpoints'),
      components: part('The schemas that endpoints share'),
    })
    .describe('An OpenAPI document'),
)

/** Describes the endpoints. They include this one, so they are passed as a function. Computed once per isolate. */
export function openapi(endpoints: () => readonly Endpoint[]): Endpoint {
  let description: ReturnType<typeof describe> | undefined
  return endpoint({
    id: 'openapi',
    method: 'get',
    path: '/openapi.json',
    summary: 'OpenAPI',
    description: 'Describes the API.',
    permission: null,
    replies: {
      200: {
        description: 'The OpenAPI document. The example is an excerpt.',
        content: {
          'application/json': {
            schema: OpenapiResponse,
            example: {
              openapi: '3.1.0',
              info: { title: 'Milepost', version: '0.1.0' },
              paths: { '/healthz': { get: { operationId: 'healthz', summary: 'Health' } } },
              components: { securitySchemes: { serverApiKey: { type: 'http', scheme: 'bearer' } } },
            },
          },
        },
      },
    },
    handle(c) {
      description ??= describe(endpoints())
      return c.json(description)
    },
  })
}
