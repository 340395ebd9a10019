import { RequestRefusedError } from '../errors.ts'

/** One line for people. Of a list of validation errors: "422 limit: Input should be …". */
export function describeError(error: unknown): string {
  if (error instanceof RequestRefusedError && Array.isArray(error.detail)) {
    const faults = error.detail.map(({ loc, msg }) => `${[loc].flat().slice(1).join('.')}: ${msg}`)
    return `${error.status} ${faults.join('; ')}`
  }
  return error instanceof Error ? error.message : String(error)
}
