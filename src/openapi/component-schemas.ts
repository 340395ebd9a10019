import { z } from 'zod'

type Schema = z.core.JSONSchema.BaseSchema

const options = {
  io: 'input',
  // Fields say in their metadata what they are; zod sees only that they are transforms.
  unrepresentable: 'any',
} as const

/**
 * The JSON Schemas of what callers send and get, by name, as OpenAPI's `components.schemas` wants them: wherever one of
 * the named schemas stands within another, there is a `$ref` to its component.
 */
export function componentSchemas(schemas: Record<string, z.ZodType>): Record<string, Schema> {
  const named = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) named.add(schema, { id })
  const { schemas: components } = z.toJSONSchema(named, {
    ...options,
    uri: (id) => `#/components/schemas/${id}`,
  })
  for (const component of Object.values(components)) {
    delete component.$id
    delete component.$schema
  }
  return components
}

/** The JSON Schema of one schema, with nothing named apart. */
export function componentSchema(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, options)
}
