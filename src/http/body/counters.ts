import { z } from 'zod'
import type { Counters } from '../../jobs/job.ts'
import { MAX_COUNTER_NAME, MAX_COUNTERS } from '../../jobs/limits.ts'
import { type Fault, faultOf, raise } from '../reply/validation-error.ts'
import { DICT_TYPE, integer, text } from './fields.ts'

const COUNT = integer()
const NAME = text(MAX_COUNTER_NAME)
const TOO_SHORT: Fault = {
  type: 'string_too_short',
  msg: 'String should have at least 1 character',
  ctx: { min_length: 1 },
}
/** Follows the name of a field in the location of a fault that the name itself has, as in pydantic. */
const KEY = '[key]'

/** An object of integers by name, even `__proto__`. The names of one with too many are not validated. */
export function counters() {
  const published = { type: 'integer', minimum: 0 }
  return z
    .unknown()
    .transform((sent, ctx): Counters => {
      const fault = objectFault(sent)
      if (fault !== undefined) {
        raise(ctx, fault)
        return z.NEVER
      }
      const counts = Object.entries(sent as object).map(([name, value]): [string, number] => {
        if (name === '') raise(ctx, { ...TOO_SHORT, input: name }, [name, KEY])
        for (const fault of faultsIn(NAME.safeParse(name))) raise(ctx, { ...fault, input: name }, [name, KEY])
        const count = COUNT.safeParse(value)
        for (const fault of faultsIn(count)) raise(ctx, fault, [name])
        return [name, count.data ?? 0]
      })
      // This defines keys instead of assigning them, so `__proto__` stays an ordinary name.
      return Object.fromEntries(counts)
    })
    .meta({ type: 'object', additionalProperties: published, maxProperties: MAX_COUNTERS })
}

function objectFault(sent: unknown): Fault | undefined {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return DICT_TYPE
  const names = Object.keys(sent).length
  if (names <= MAX_COUNTERS) return undefined
  return {
    type: 'too_long',
    msg: `Dictionary should have at most ${MAX_COUNTERS} items after validation, not ${names}`,
    ctx: { field_type: 'Dictionary', max_length: MAX_COUNTERS, actual_length: names },
  }
}

function faultsIn({ error }: z.ZodSafeParseResult<unknown>): Fault[] {
  return (error?.issues ?? []).map(faultOf)
}
