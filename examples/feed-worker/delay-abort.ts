/** Returns a signal that aborts `ms` milliseconds after the given one (or after now, if that one is already aborted), with its reason. */
export function delayAbort(signal: AbortSignal | undefined, ms: number): AbortSignal {
  const delayed = new AbortController()
  const begin = () => setTimeout(() => delayed.abort(signal?.reason), ms).unref()
  if (signal?.aborted) begin()
  else signal?.addEventListener('abort', begin, { once: true })
  return delayed.signal
}
