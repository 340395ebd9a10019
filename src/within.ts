/**
 * Resolves or rejects as `work` does, or resolves to `late` after `ms`. Late work goes on; if it then fails, the error
 * is swallowed, because nobody is waiting for it.
 */
export async function within<Result, Late>(
  ms: number,
  work: Promise<Result>,
  late: Late,
): Promise<Result | Late> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const deadline = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(late), ms)
  })
  try {
    // The race also handles a rejection that comes after the deadline.
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
