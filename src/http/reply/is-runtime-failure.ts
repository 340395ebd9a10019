/** How the Workers runtime reports what went wrong inside itself; the reference is to its own log. */
const INTERNAL_ERROR = /^internal error; reference = /

/**
 * Whether the runtime or the disk below it failed, and neither the request nor this code: the object is overloaded, was moved
 * or reset, or could not be opened. Callers are told to come again.
 */
export function isRuntimeFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { retryable, overloaded, durableObjectReset } = error as Error & Record<string, unknown>
  return Boolean(retryable || overloaded || durableObjectReset) || INTERNAL_ERROR.test(error.message)
}
