/**
 * Makes a function to be called whenever the command prints something: it reports that the command is alive, often enough that a
 * job is flagged as stalled only when its command has been silent for so long.
 */
export function signsOfLife(stallAfterSeconds: number | undefined, report: () => void): () => void {
  if (stallAfterSeconds === undefined) return () => {}
  const everyMs = (stallAfterSeconds * 1_000) / 4
  let reportedAt = performance.now()
  return () => {
    const now = performance.now()
    if (now - reportedAt < everyMs) return
    reportedAt = now
    report()
  }
}
