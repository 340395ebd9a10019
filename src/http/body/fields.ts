import { z } from 'zod'
import type { JsonObject } from '../../jobs/job.ts'
import { MAX_INTEGER, MAX_INTEGER_TEXT } from '../../jobs/limits.ts'
import { type Fault, MISSING, raise } from '../reply/validation-error.ts'

/** The published JSON Schema of a field. */
type Published = Record<string, unknown> & { type: string }

/** The value to use, or what is wrong with the one sent. */
export type Reading<T> = { value: T } | { fault: Fault }

const INTEGER_TEXT = /^[^\S\ufeff]*([-+]?[0-9]+(?:_[0-9]+)*)(?:\.0+)?[^\S\ufeff]*$/
const TRUE_TEXTS = new Set(['1', 'on', 't', 'true', 'y', 'yes'])
const FALSE_TEXTS = new Set(['0', 'off', 'f', 'false', 'n', 'no'])

const STRING_TYPE: Fault = { type: 'string_type', msg: 'Input should be a valid string' }
const STRING_UNICODE: Fault = {
  type: 'string_unicode',
  msg: 'Input should be a valid string, unable to parse raw data as a unicode string',
}
const INT_TYPE: Fault = { type: 'int_type', msg: 'Input should be a valid integer' }
const INT_FROM_FLOAT: Fault = {
  type: 'int_from_float',
  msg: 'Input should be a valid integer, got a number with a fractional part',
}
const INT_PARSING: Fault = {
  type: 'int_parsing',
  msg: 'Input should be a valid integer, unable to parse string as an integer',
}
const INT_PARSING_SIZE: Fault = {
  type: 'int_parsing_size',
  msg: 'Unable to parse input string as an integer, exceeded maximum size',
}
const FINITE_NUMBER: Fault = { type: 'finite_number', msg: 'Input should be a finite number' }
const BOOL_TYPE: Fault = { type: 'bool_type', msg: 'Input should be a valid boolean' }
const BOOL_PARSING: Fault = {
  type: 'bool_parsing',
  msg: 'Input should be a valid boolean, unable to interpret input',
}
export const TOO_SHORT: Fault = {
  type: 'string_too_short',
  msg: 'String should have at least 1 character',
  ctx: { min_length: 1 },
}
export const DICT_TYPE: Fault = { type: 'dict_type', msg: 'Input should be a valid dictionary' }
const LIST_TYPE: Fault = { type: 'list_type', msg: 'Input should be a valid list' }

/** An integer within bounds. Like the original, it accepts `5.0`, `true` and texts like `"5"`. */
export function integer({ least = 0, most }: { least?: number; most?: number } = {}) {
  const tooSmall: Fault = {
    type: 'greater_than_equal',
    msg: `Input should be greater than or equal to ${least}`,
    ctx: { ge: least },
  }
  const tooLarge: Fault = {
    type: 'less_than_equal',
    msg: `Input should be less than or equal to ${most}`,
    ctx: { le: most },
  }
  const published = { type: 'integer', minimum: least, ...(most !== undefined && { maximum: most }) }
  return field(published, (value) => {
    const reading = readInteger(value)
    if ('fault' in reading) return reading
    if (reading.value < least) return { fault: tooSmall }
    return most !== undefined && reading.value > most ? { fault: tooLarge } : reading
  })
}

/** A boolean. Like the original, it accepts 0, 1 and texts like `"yes"`. */
export function boolean() {
  return field({ type: 'boolean' }, readBoolean)
}

/** A string of at most `maxLength` characters (code points). */
export function text(maxLength: number) {
  return field({ type: 'string', maxLength }, (value) => readText(value, maxLength))
}

/** The same for a value that a field of another form reads. */
export function readText(value: unknown, maxLength: number): Reading<string> {
  if (typeof value !== 'string') return { fault: STRING_TYPE }
  if (!value.isWellFormed()) return { fault: STRING_UNICODE }
  return isLonger(value, maxLength) ? { fault: tooLong(maxLength) } : { value }
}

function tooLong(maxLength: number): Fault {
  return {
    type: 'string_too_long',
    msg: `String should have at most ${maxLength} characters`,
    ctx: { max_length: maxLength },
  }
}

/**
 * An object with any keys, even `__proto__`, that takes at most `maxBytes` as JSON. The object itself is passed on: a
 * copy made by assignment would lose such keys.
 */
export function dictionary(maxBytes: number) {
  const tooLarge: Fault = {
    type: 'too_large',
    msg: `Input should take at most ${maxBytes} bytes as JSON`,
    ctx: { max_bytes: maxBytes },
  }
  return field({ type: 'object', additionalProperties: true, maxBytes }, (value): Reading<JsonObject> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { fault: DICT_TYPE }
    const object = value as JsonObject
    if (jsonBytes(object) > maxBytes) return { fault: tooLarge }
    return makeStorable(object) ? { value: object } : { fault: STRING_UNICODE }
  })
}

/** An array of at most `maxItems`. The items of a longer one are not validated. */
export function list<S extends z.ZodType>(item: S, maxItems: number) {
  return z.preprocess((value, ctx) => {
    const fault = listFault(value, maxItems)
    if (!fault) return value
    raise(ctx, fault)
    return z.NEVER
  }, z.array(item).max(maxItems))
}

/** The size of a value as JSON, in bytes. Safe only for values no deeper than a body may be: `stringify` recurses. */
function jsonBytes(value: unknown): number {
  return encoder.encode(JSON.stringify(value)).length
}

const encoder = new TextEncoder()

/** A field whose value `read` makes from what was sent. /openapi.json publishes `published` as its schema. */
export function field<T>(published: Published, read: (value: unknown) => Reading<T>) {
  return z
    .unknown()
    .transform((value, ctx): T => {
      // JSON has no undefined: the key is absent.
      const reading: Reading<T> = value === undefined ? { fault: MISSING } : read(value)
      if ('value' in reading) return reading.value
      raise(ctx, reading.fault)
      return z.NEVER
    })
    .meta(published)
}

/** The fault of a value that is none of these names. */
export function notOneOf(names: readonly string[]): { fault: Fault } {
  const expected = names.map((name) => `'${name}'`).join(', ')
  return { fault: { type: 'enum', msg: `Input should be ${expected}`, ctx: { expected } } }
}

function readInteger(value: unknown): Reading<number> {
  if (typeof value === 'boolean') return { value: value ? 1 : 0 }
  if (typeof value === 'string') return readIntegerText(value)
  if (typeof value !== 'number') return { fault: INT_TYPE }
  if (!Number.isFinite(value)) return { fault: FINITE_NUMBER }
  if (!Number.isInteger(value)) return { fault: INT_FROM_FLOAT }
  // Not >=: the largest 64-bit integer parses to this double.
  if (Math.abs(value) > MAX_INTEGER) return { fault: INT_PARSING_SIZE }
  // Adding 0 turns -0 into 0.
  return { value: value + 0 }
}

function readIntegerText(value: string): Reading<number> {
  if (value.length > MAX_INTEGER_TEXT) return { fault: INT_PARSING_SIZE }
  const digits = INTEGER_TEXT.exec(value)?.[1]?.replaceAll('_', '')
  if (digits === undefined) return { fault: INT_PARSING }
  const number = Number(digits)
  return number > MAX_INTEGER ? { fault: INT_PARSING_SIZE } : { value: number + 0 }
}

function readBoolean(value: unknown): Reading<boolean> {
  if (typeof value === 'boolean') return { value }
  if (typeof value === 'string') {
    const word = value.toLowerCase()
    if (TRUE_TEXTS.has(word)) return { value: true }
    return FALSE_TEXTS.has(word) ? { value: false } : { fault: BOOL_PARSING }
  }
  if (value === 0 || value === 1) return { value: value === 1 }
  const isInt64 = Number.isInteger(value) && Math.abs(value as number) < MAX_INTEGER
  return { fault: isInt64 ? BOOL_PARSING : BOOL_TYPE }
}

function listFault(value: unknown, maxItems: number): Fault | undefined {
  if (!Array.isArray(value)) return LIST_TYPE
  if (value.length <= maxItems) return undefined
  return {
    type: 'too_long',
    msg: `List should have at most ${maxItems} items after validation, not ${value.length}`,
    ctx: { field_type: 'List', max_length: maxItems, actual_length: value.length },
  }
}

/** Whether a string has more than `max` code points. Counts only in strings whose length leaves that open. */
function isLonger(value: string, max: number): boolean {
  if (value.length <= max) return false
  if (value.length > 2 * max) return true
  let count = 0
  for (const _ of value) count += 1
  return count > max
}

/**
 * Prepares an object for storage. False if a key or string in it holds half a surrogate pair, which UTF-8 cannot store.
 * A number too large for a double was parsed as Infinity, and becomes null as in `JSON.stringify`. Not recursive, so
 * nesting cannot overflow the stack.
 */
function makeStorable(root: JsonObject): boolean {
  const containers: JsonObject[] = [root]
  for (let container = containers.pop(); container; container = containers.pop()) {
    for (const key of Object.keys(container)) {
      const value = container[key]
      if (!key.isWellFormed()) return false
      if (typeof value === 'string' && !value.isWellFormed()) return false
      if (typeof value === 'object' && value !== null) containers.push(value as JsonObject)
      // Safe even for `__proto__`: the key is the object's own, so this does not call the inherited setter.
      if (value === Infinity || value === -Infinity) container[key] = null
    }
  }
  return true
}
