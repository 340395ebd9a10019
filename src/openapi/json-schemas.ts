import { z } from 'zod'
import { components } from '../http/component.ts'

export type Schema = z.core.JSONSchema.BaseSchema

const options = {
  io: 'input',
  // The fields of bodies and queries are transforms, opaque to zod: their metadata has their schema.
  unrepresentable: 'any',
  override({ jsonSchema }) {
    delete jsonSchema.propertyNames
    const { additionalProperties: others, properties } = jsonSchema
    const isOpen = others && properties === undefined
    // Replies are strict only for the tests. Clients must accept new fields.
    delete jsonSchema.additionalProperties
    if (isOpen) jsonSchema.additionalProperties = isEmpty(others) ? true : others
    if (Object.keys(jsonSchema.properties ?? { any: true }).length === 0) delete jsonSchema.properties
  },
} as const satisfies z.core.ToJSONSchemaParams

/** Whether a schema allows everything. */
function isEmpty(schema: true | Schema): boolean {
  return Object.keys(schema).length === 0
}

/** The JSON Schemas of all components, by name. */
export function componentSchemas(): Record<string, Schema> {
  const uri = (id: string) => `#/components/schemas/${id}`
  const { schemas } = z.toJSONSchema(components, { ...options, uri })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $id: _id, $schema: _version, ...schema }]) => [
      name,
      { title: name, ...annotate(schema) },
    ]),
  )
}

/** The JSON Schema of one schema: a reference if it is a component. */
export function schemaOf(schema: z.ZodType): Schema {
  const id = components.get(schema)?.id
  if (id !== undefined) return { $ref: `#/components/schemas/${id}` }
  const { $schema: _, ...inline } = z.toJSONSchema(schema, options)
  return annotate(inline)
}

/** Gives each property FastAPI's title, and puts its bound in words: the contract's schemas have no bounds. */
function annotate(schema: Schema): Schema {
  if (schema.properties === undefined) return schema
  const properties = Object.entries(schema.properties).map(([name, property]) => [
    name,
    titled(name, inWords(branched(property as Schema))),
  ])
  return { ...schema, properties: Object.fromEntries(properties) }
}

/** Writes several types as pydantic does: as `anyOf`, not as a list of types. */
function branched({ items, ...schema }: Schema): Schema {
  const inner = items === undefined ? {} : { items: branched(items as Schema) }
  if (!Array.isArray(schema.type)) return { ...schema, ...inner }
  const { type: types, ...rest } = schema
  return { ...rest, anyOf: types.map((type) => ({ type })), ...inner }
}

function titled(name: string, property: Schema): Schema {
  const refers = '$ref' in property || property.anyOf?.some((branch) => '$ref' in (branch as Schema))
  return refers ? property : { title: titleOf(name), ...property }
}

/** FastAPI's title: Job Id for `job_id`, X-Organization-Id for `X-Organization-ID`. */
export function titleOf(name: string): string {
  return name
    .replaceAll('_', ' ')
    .toLowerCase()
    .replace(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase())
}

function inWords(property: Schema): Schema {
  const [bounded, ...others] = property.anyOf ? (property.anyOf as Schema[]) : [property]
  const { maxLength, maxBytes, ...unbounded } = (bounded ?? {}) as Schema & { maxBytes?: number }
  const bound =
    maxLength !== undefined
      ? `At most ${maxLength.toLocaleString('en-US')} characters.`
      : maxBytes !== undefined && `At most ${maxBytes.toLocaleString('en-US')} bytes as JSON.`
  if (!bound) return property
  const description = `${property.description ?? ''}. ${bound}`.replace(/^\. /, '')
  return property.anyOf
    ? { ...property, anyOf: [unbounded, ...others], description }
    : { ...unbounded, description }
}
