/** How long a caller waits for an answer about their credential, in ms. */
export const PATIENCE_MS = 2_000

/** The result; undefined if it failed, or took longer than a caller waits. */
export async function withinPatience<Result>(result: Promise<Result>): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
  })
  try {
    return await Promise.race([result, late])
  } catch {
    return undefined
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}
