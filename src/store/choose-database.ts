/** Sizes within one step count as equal, in bytes. New organizations then spread evenly. */
const SIZE_STEP = 256 * 1024 * 1024

/** A database that an organization may be placed in. */
export interface Candidate {
  name: string
  /** Its size; null if unknown. */
  bytes: number | null
  /** How many organizations the directory places in it. */
  organizations: number
}

/**
 * The database for a new organization: `preferred` if it is a candidate; otherwise the one with the most free space, and
 * among equals the one with the fewest organizations. Throws if there are no candidates.
 */
export function chooseDatabase(candidates: Candidate[], preferred: string | undefined): string {
  const [first] = candidates
    .map((candidate, at) => ({ ...candidate, at, steps: Math.floor((candidate.bytes ?? 0) / SIZE_STEP) }))
    .toSorted((a, b) => a.steps - b.steps || a.organizations - b.organizations || a.at - b.at)
  if (first === undefined) throw new Error('there is no database')
  return candidates.find(({ name }) => name === preferred)?.name ?? first.name
}
