/** Sizes that differ by less count as equal, in bytes: organizations that are new then spread evenly. */
const SIZE_STEP = 256 * 1024 * 1024

/** A database that an organization may be placed in. */
export interface Candidate {
  name: string
  /** How large it is; null if that is not known. */
  bytes: number | null
  /** How many organizations the directory places in it. */
  organizations: number
}

/**
 * The database for a new organization: `preferred` if it is among the candidates; otherwise the one with the most free
 * space, and of several the one with the fewest organizations. There must be a candidate.
 */
export function chooseDatabase(candidates: Candidate[], preferred: string | undefined): string {
  const [first] = candidates
    .map((candidate, at) => ({ ...candidate, at, steps: Math.floor((candidate.bytes ?? 0) / SIZE_STEP) }))
    .toSorted((a, b) => a.steps - b.steps || a.organizations - b.organizations || a.at - b.at)
  if (first === undefined) throw new Error('there is no database')
  return candidates.find(({ name }) => name === preferred)?.name ?? first.name
}
