import { z } from 'zod'
import { type Fault, faultOf, raise } from '../reply/validation-error.ts'
import { DICT_TYPE, TOO_SHORT } from './fields.ts'

/** Follows the name of a field in the location of a fault that the name itself has, as in pydantic. */
const KEY = '[key]'

interface Named<Value extends z.ZodType> {
  /** What a name may be, besides empty. */
  name: z.ZodType<string>
  value: Value
  /** How many there may be. The names of more are not validated. */
  most: number
  /** The published schema of a value. */
  published: { type: string; minimum?: number }
}

/** An object of values by name, even `__proto__`. */
export function namedValues<Value extends z.ZodType>({ name, value, most, published }: Named<Value>) {
  return z
    .unknown()
    .transform((sent, ctx): Record<string, z.output<Value>> => {
      const fault = objectFault(sent, most)
      if (fault !== undefined) {
        raise(ctx, fault)
        return z.NEVER
      }
      const values = Object.entries(sent as object).map(([key, each]): [string, z.output<Value>] => {
        if (key === '') raise(ctx, { ...TOO_SHORT, input: key }, [key, KEY])
        for (const fault of faultsIn(name.safeParse(key))) raise(ctx, { ...fault, input: key }, [key, KEY])
        const read = value.safeParse(each)
        for (const fault of faultsIn(read)) raise(ctx, fault, [key])
        return [key, read.data as z.output<Value>]
      })
      // This defines keys instead of assigning them, so `__proto__` stays an ordinary name.
      return Object.fromEntries(values)
    })
    .meta({ type: 'object', additionalProperties: published, maxProperties: most })
}

function objectFault(sent: unknown, most: number): Fault | undefined {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return DICT_TYPE
  const names = Object.keys(sent).length
  if (names <= most) return undefined
  return {
    type: 'too_long',
    msg: `Dictionary should have at most ${most} items after validation, not ${names}`,
    ctx: { field_type: 'Dictionary', max_length: most, actual_length: names },
  }
}

function faultsIn({ error }: z.ZodSafeParseResult<unknown>): Fault[] {
  return (error?.issues ?? []).map(faultOf)
}
