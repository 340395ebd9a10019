import type { z } from 'zod'

/** The problem types of a 422: pydantic's, and our own `too_large`, `idempotency_key_reused` and `idempotency_key_expired`. */
type ProblemType =
  | 'missing'
  | 'string_type'
  | 'string_too_short'
  | 'string_too_long'
  | 'string_pattern_mismatch'
  | 'string_unicode'
  | 'int_type'
  | 'int_from_float'
  | 'int_parsing'
  | 'int_parsing_size'
  | 'finite_number'
  | 'greater_than_equal'
  | 'less_than_equal'
  | 'bool_type'
  | 'bool_parsing'
  | 'dict_type'
  | 'enum'
  | 'datetime_parsing'
  | 'url_parsing'
  | 'value_error'
  | 'list_type'
  | 'too_long'
  | 'too_large'
  | 'model_attributes_type'
  | 'json_invalid'
  | 'idempotency_key_expired'
  | 'idempotency_key_reused'

/** What is wrong with a value, without its location. */
export interface Fault {
  type: ProblemType
  msg: string
  ctx?: Record<string, unknown>
  /** What was sent, if it is not the value at the location: the name of a field. */
  input?: unknown
}

/** An entry in the `detail` of a 422. `loc` starts with "body", "query" or "header"; `input` is what was sent there. */
export interface Problem extends Fault {
  loc: (string | number)[]
  input: unknown
}

export const MISSING: Fault = { type: 'missing', msg: 'Field required' }
export const NOT_AN_OBJECT: Fault = {
  type: 'model_attributes_type',
  msg: 'Input should be a valid dictionary or object to extract fields from',
}

/** Raises a fault at the location of `ctx`, or at `path` in there. `toProblems` reads it back from the issues. */
export function raise(ctx: z.RefinementCtx, { msg, ...params }: Fault, path: string[] = []): void {
  ctx.addIssue({ code: 'custom', message: msg, params, path })
}

/** The validated part of a request, which `loc` starts with. */
type Part = 'body' | 'query'

/**
 * Turns the issues of a failed validation into problems. `value` is what was validated. Throws on an issue that no field
 * of ours raises: the schema was built without `fields.ts`.
 */
export function toProblems(issues: readonly z.core.$ZodIssue[], value: unknown, part: Part): Problem[] {
  const problems = issues.map((issue) => toProblem(issue, value, part))
  // The original reports encoding errors only if there are no others.
  const others = problems.filter(({ type }) => type !== 'string_unicode')
  return others.length > 0 ? others : problems
}

function toProblem(issue: z.core.$ZodIssue, value: unknown, part: Part): Problem {
  const fault = faultOf(issue)
  const path = issue.path as (string | number)[]
  // A missing field has no value, so `input` is the object that lacks it.
  const shown = fault.type === 'missing' ? path.slice(0, -1) : path
  return {
    type: fault.type,
    loc: [part, ...path],
    msg: fault.msg,
    input: 'input' in fault ? fault.input : valueAt(value, shown),
    ...(fault.ctx && { ctx: fault.ctx }),
  }
}

/** What an issue says that a field of ours has raised. Throws on any other. */
export function faultOf(issue: z.core.$ZodIssue): Fault {
  if (issue.code === 'custom' && issue.params) {
    return { ...(issue.params as Omit<Fault, 'msg'>), msg: issue.message }
  }
  if (issue.code === 'invalid_type' && issue.expected === 'object') return NOT_AN_OBJECT
  throw new Error(`No field raises the issue ${issue.code} at ${issue.path.join('.')}`)
}

function valueAt(body: unknown, path: readonly (string | number)[]): unknown {
  let value = body
  for (const key of path) value = (value as Record<string | number, unknown>)[key]
  return value
}
