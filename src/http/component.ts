import { z } from 'zod'

/** The schemas that the description names. Each is written once; every use of it is a `$ref`. */
export const components = z.registry<{ id: string }>()

/** Names a schema in the description. Throws if the name is taken. */
export function component<Schema extends z.ZodType>(name: string, schema: Schema): Schema {
  components.add(schema, { id: name })
  return schema
}
