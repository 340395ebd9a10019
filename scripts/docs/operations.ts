import { endpoints } from '../../src/endpoints/all.ts'
import { describe } from '../../src/openapi/describe.ts'

interface Content {
  schema: Schema
  example: unknown
}

interface Schema {
  $ref?: string
  type?: string
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
}

interface Described {
  operationId: string
  summary: string
  description: string
  parameters: { name: string; in: string; required: boolean; description?: string }[]
  requestBody?: { content: Record<string, Content> }
  responses: Record<string, { description: string; content?: Record<string, Content> }>
}

/** An operation of the API, in words. */
export interface Operation {
  /** Where its Markdown is served. */
  path: string
  /** `POST /api/jobs/`. */
  name: string
  summary: string
  /** The first sentence of its description. */
  brief: string
  /** All of it, as Markdown with a heading of the first level. */
  markdown: string
}

/** The operations of the API, in the order of the description. */
export function describeOperations(): Operation[] {
  const { paths, components } = describe(endpoints)
  const schemas = components.schemas as Record<string, Schema>
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Described>).map(([method, operation]) => {
      const name = `${method.toUpperCase()} ${path}`
      const { summary, description } = operation
      const [brief = description] = /^.*?[.](?=\s|$)/.exec(description) ?? []
      return {
        path: `/docs/operations/${operation.operationId}.md`,
        name,
        summary,
        brief,
        markdown: inMarkdown(name, operation, schemas),
      }
    }),
  )
}

function inMarkdown(name: string, operation: Described, schemas: Record<string, Schema>): string {
  const { summary, description, parameters, requestBody, responses } = operation
  const fieldsOf = ({ schema }: Content) => {
    const { properties = {}, required = [] } = schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema
    return Object.entries(properties).map(([field, { description = '' }]) =>
      item(field, required.includes(field) ? 'required' : '', description),
    )
  }
  const parts = [`# ${summary}`, `\`${name}\``, description]
  if (parameters.length > 0)
    parts.push(
      'Parameters:',
      parameters
        .map(({ name, in: where, required, description = '' }) =>
          item(name, required ? `${where}, required` : where, description),
        )
        .join('\n'),
    )
  for (const content of Object.values(requestBody?.content ?? {}))
    parts.push('Body:', fieldsOf(content).join('\n'), 'For example:', fenced(content.example))
  parts.push(
    'Replies:',
    Object.entries(responses)
      .map(([status, { description }]) => `- ${status}: ${description}`)
      .join('\n'),
  )
  for (const [media, content] of Object.entries(responses[200]?.content ?? {}))
    parts.push(`A reply of \`${media}\`, for example:`, fenced(content.example))
  return parts.join('\n\n')
}

function item(name: string, note: string, description: string): string {
  return `- \`${name}\`${note && ` (${note})`}${description && `: ${description}`}`
}

function fenced(example: unknown): string {
  return `\`\`\`json\n${JSON.stringify(example, null, 2)}\n\`\`\``
}
