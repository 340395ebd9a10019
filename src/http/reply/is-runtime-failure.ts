/** How the Workers runtime words its internal errors. */
const INTERNAL_ERROR = /^internal error; reference = /

/**
 * Whether the runtime or its disk failed, rather than our code: the object is overloaded, was moved or reset, or could
 * not be opened. Callers are told to retry.
 */
export function isRuntimeFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { retryable, overloaded, durableObjectReset } = error as Error & Record<string, unknown>
  return Boolean(retryable || overloaded || durableObjectReset) || INTERNAL_ERROR.test(error.message)
}
