/** A signal that follows the given one after `ms` milliseconds, with its reason; if that is aborted already, they begin now. */
export function delayAbort(signal: AbortSignal | undefined, ms: number): AbortSignal {
  const delayed = new AbortController()
  const begin = () => setTimeout(() => delayed.abort(signal?.reason), ms).unref()
  if (signal?.aborted) begin()
  else signal?.addEventListener('abort', begin, { once: true })
  return delayed.signal
}
