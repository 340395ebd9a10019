/**
 * What `work` comes to, or `late` where that takes longer than `ms`. It is not stopped then; a failure that comes too late
 * is swallowed, since nobody waits for it any more.
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
    // Racing marks a rejection of `work` as handled, whenever it comes.
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
