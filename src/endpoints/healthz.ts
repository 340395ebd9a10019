import { z } from 'zod'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'

const HealthResponse = component(
  'HealthResponse',
  z.strictObject({ status: z.literal('ok').describe('Always ok') }).describe('The API is up'),
)

/** Does not check D1: most of the API works without it. */
export const healthz = endpoint({
  id: 'healthz',
  method: 'get',
  path: '/healthz',
  summary: 'Health',
  description: 'Whether the API is up.',
  permission: null,
  replies: {
    200: {
      description: 'The API is up.',
      content: { 'application/json': { schema: HealthResponse, example: { status: 'ok' } } },
    },
  },
  handle: (c) => c.json({ status: 'ok' }),
})
