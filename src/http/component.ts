import { z } from 'zod'

/** The schemas that the description names, each once: wherever one stands within another, there is a reference to it. */
export const components = z.registry<{ id: string }>()

/** Gives a schema its name in the description. Throws where another schema has it already. */
export function component<Schema extends z.ZodType>(name: string, schema: Schema): Schema {
  components.add(schema, { id: name })
  return schema
}
