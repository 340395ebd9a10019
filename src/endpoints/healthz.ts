import { z } from 'zod'
import { component } from '../http/component.ts'
import { endpoint } from '../http/endpoint.ts'

const HealthResponse = component(
  'HealthResponse',
  z.strictObject({ status: z.literal('ok').describe('Always ok') }).describe('The edge answers'),
)

/** It does not ask D1, without which the edge goes on working. */
export const healthz = endpoint({
  id: 'healthz',
  method: 'get',
  path: '/healthz',
  summary: 'Health',
  description: 'Whether the edge answers.',
  permission: null,
  replies: { 200: { description: 'It does.', content: { 'application/json': HealthResponse } } },
  refusals: [405],
  handle: (c) => c.json({ status: 'ok' }),
})
