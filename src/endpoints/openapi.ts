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
      info: part('What is described'),
      paths: part('The endpoints'),
      components: part('The schemas that they share'),
    })
    .describe('An OpenAPI description'),
)

/** Describes the endpoints, itself among them: hence a function. Once per isolate, when first asked. */
export function openapi(endpoints: () => readonly Endpoint[]): Endpoint {
  let description: ReturnType<typeof describe> | undefined
  return endpoint({
    id: 'openapi',
    method: 'get',
    path: '/openapi.json',
    summary: 'OpenAPI',
    description: 'This description.',
    permission: null,
    replies: { 200: { description: 'It.', content: { 'application/json': OpenapiResponse } } },
    refusals: [405],
    handle(c) {
      description ??= describe(endpoints())
      return c.json(description)
    },
  })
}
