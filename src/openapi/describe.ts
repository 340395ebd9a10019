import { type Endpoint, type RefusalStatus, type ReplyContent, refusalsOf } from '../http/endpoint.ts'
import { ErrorResponse, HTTPValidationError } from '../http/reply/error-schemas.ts'
import { componentSchemas, schemaOf } from './json-schemas.ts'
import { parametersOf } from './parameters.ts'

/** The OpenAPI description of these endpoints, made from the same values that check requests. */
export function describe(endpoints: readonly Endpoint[]) {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operationOf(endpoint) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Milepost',
      version: '0.1.0',
      description:
        'Tracks the jobs of a merchant platform. Workers report progress; callers with permission watch it.',
      license: { name: 'MIT', identifier: 'MIT' },
      contact: { name: 'Milepost' },
    },
    servers: [{ url: '/', description: 'The server of this description' }],
    security: [],
    tags: [
      { name: 'Jobs', description: 'Create, report on, read, watch and cancel jobs' },
      { name: 'Service', description: 'The API itself' },
    ],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        serverApiKey: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A server API key: mp_…. If a Stytch B2B project is configured, also the token or JWT of one of its sessions',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'stytch_session',
          description: 'A session of a Stytch B2B project, if one is configured',
        },
      },
    },
  }
}

function operationOf(endpoint: Endpoint) {
  const { id, summary, description, permission, body } = endpoint
  const needs = permission === null ? '' : `\n\nRequires the permission \`${permission}\`.`
  return {
    operationId: id,
    tags: [permission === null ? 'Service' : 'Jobs'],
    summary,
    description: description + needs,
    security: permission === null ? [] : [{ serverApiKey: [] }, { session: [] }],
    parameters: parametersOf(endpoint),
    ...(body && {
      requestBody: {
        required: body.optional !== true,
        content: { 'application/json': { schema: schemaOf(body.schema), example: body.example } },
      },
    }),
    responses: responsesOf(endpoint),
  }
}

function responsesOf(endpoint: Endpoint) {
  const { replies, refusals = [] } = endpoint
  const headers = endpoint.headers && { headers: endpoint.headers }
  const meanings = refusalsIn(endpoint)
  const isOwn = (status: RefusalStatus) => (refusals as RefusalStatus[]).includes(status)
  return Object.fromEntries([
    ...Object.entries(replies).map(([status, reply]) => [status, { ...replyOf(reply), ...headers }]),
    ...refusalsOf(endpoint).map((status) => [
      status,
      { ...refusalOf(status, meanings[status]), ...(isOwn(status) && headers) },
    ]),
  ])
}

function replyOf({ description, content }: ReplyContent) {
  if (content === undefined) return { description }
  const described = Object.entries(content).map(([media, { schema, example }]) => [
    media,
    { schema: schemaOf(schema), example },
  ])
  return { description, content: Object.fromEntries(described) }
}

/** What each refusal means at an endpoint, which may have no body, name no job or change nothing. */
function refusalsIn({ method, path, body, idempotent }: Endpoint): Record<RefusalStatus, string> {
  const isChange = method !== 'get'
  const isCreate = idempotent === 'create'
  return {
    400: either(
      body !== undefined && 'The body is not text',
      'The credential has several organizations and `X-Organization-ID` is missing',
    ),
    401: 'The credential is missing or invalid.',
    403: either(
      'The credential lacks the permission',
      isChange && 'A page of another site sent the request with a session',
      isCreate && 'The storage of the organization is full',
    ),
    404: either(
      path.includes('{job_id}') && 'The organization has no such job',
      'The credential does not belong to the organization',
    ),
    409: 'The job is already finished.',
    413: 'The body is larger than 1 MB.',
    422: `The request is invalid${isChange ? '; nothing was applied' : ''}.`,
    429: `${either(
      'Too many requests or failed authentications',
      isCreate && 'Too many unfinished jobs',
    )} Try again after \`Retry-After\` seconds.`,
    503: 'Temporarily unavailable; try again after `Retry-After` seconds.',
  }
}

/** One sentence of the causes that apply. */
function either(...causes: (string | false)[]): string {
  const [first, ...others] = causes.filter((cause) => cause !== false)
  return `${first}${others.map((other) => `, or ${other.charAt(0).toLowerCase()}${other.slice(1)}`).join('')}.`
}

function refusalOf(status: RefusalStatus, description: string) {
  const schema = schemaOf(status === 422 ? HTTPValidationError : ErrorResponse)
  return { description, content: { 'application/json': { schema } } }
}
